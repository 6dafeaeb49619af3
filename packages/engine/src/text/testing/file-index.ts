import { type AnalyzerOption, analyzerOf } from '@terndb/core';
import type { IndexKind } from '../../indexes/types.ts';
import type { RowBlock } from '../../view/view.ts';
import { type FileTextIndex, openTextIndex } from '../file/open-text-index.ts';
import { writeTextIndex } from '../file/write-text-index.ts';
import { TEXT_INDEX } from '../text-index-kind.ts';

export async function textIndexFile(
  texts: readonly (string | null)[],
  analyzer: AnalyzerOption = 'standard',
): Promise<Uint8Array<ArrayBuffer>> {
  return writeTextIndex(
    { rows: texts.length, textAt: (row) => texts[row] ?? undefined },
    { analyzer: analyzerOf(analyzer), pause: () => Promise.resolve(), onProgress: () => undefined },
  );
}

export function openFile(file: Uint8Array<ArrayBuffer>, rows: number, analyzer: AnalyzerOption = 'standard'): FileTextIndex {
  return openTextIndex(file, { what: 'text index s.f', analyzerId: analyzerOf(analyzer).id, rows });
}

/** The block as a sealed segment with index files gives it. */
export async function withTextIndexes(block: RowBlock, fields: readonly string[]): Promise<RowBlock> {
  const indexes = new Map<string, FileTextIndex>();
  for (const field of fields) {
    const texts = Array.from({ length: block.rows }, (_, row) => block.valueAt(field, row) as string | null);
    indexes.set(field, openFile(await textIndexFile(texts), block.rows));
  }
  const index = <T>(kind: IndexKind<T>, field: string): T | undefined =>
    (kind as unknown) === TEXT_INDEX ? (indexes.get(field) as T | undefined) : undefined;
  return {
    id: block.id,
    rows: block.rows,
    live: block.live,
    sortedByKey: block.sortedByKey,
    keyAt: (offset) => block.keyAt(offset),
    versionAt: (offset) => block.versionAt(offset),
    revisionAt: (offset) => block.revisionAt(offset),
    column: (field) => block.column(field),
    vectors: (field) => block.vectors(field),
    valueAt: (field, offset) => block.valueAt(field, offset),
    index,
  };
}
