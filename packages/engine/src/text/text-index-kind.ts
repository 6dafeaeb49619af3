import { analyzerOf, assert, type FieldDefinition } from '@terndb/core';
import type { IndexKind } from '../indexes/types.ts';
import type { Segment } from '../segment/types.ts';
import { type FileTextIndex, openTextIndex } from './file/open-text-index.ts';
import { writeTextIndex } from './file/write-text-index.ts';

/**
 * The inverted index of a searchable text field. Made when its segment is sealed and loaded with it: doing without means tokenising every row
 * at the first search. Not for analyzers that differ between engines.
 */
export const TEXT_INDEX: IndexKind<FileTextIndex> = {
  type: 'text',
  stage: 'seal',
  wants: (segment, field) =>
    isSearchable(field) && analyzerOf(field.params.analyzer).isPortable && segment.column(field.name) !== undefined,
  build: async (segment, field, { pause, onProgress }) => {
    const analyzer = analyzerFor(field);
    const texts = { rows: segment.rows, textAt: (row: number) => textAt(segment, field.name, row) };
    return [await writeTextIndex(texts, { analyzer, pause, onProgress })];
  },
  open: (bytes, segment, field) =>
    openTextIndex(bytes, { what: `text index ${segment.id}.${field.name}`, analyzerId: analyzerFor(field).id, rows: segment.rows }),
  close: () => undefined,
};

type TextFieldDefinition = Extract<FieldDefinition, { readonly type: 'text' | 'collabText' }>;

function isSearchable(field: FieldDefinition): field is TextFieldDefinition {
  return (field.type === 'text' || field.type === 'collabText') && field.params.search;
}

function analyzerFor(field: FieldDefinition): ReturnType<typeof analyzerOf> {
  assert(isSearchable(field), () => `a text index of field ${field.name}, which is ${field.type}`);
  return analyzerOf(field.params.analyzer);
}

function textAt(segment: Segment, field: string, row: number): string | undefined {
  const value = segment.valueAt(field, row);
  return typeof value === 'string' ? value : undefined;
}
