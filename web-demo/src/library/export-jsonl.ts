import type { Entity } from '@terndb/client';
import type { PassageShape, Passages } from './open-library.ts';
import { ALL_FIELDS } from './schema.ts';

const PAGE_ROWS = 500;
/** Six digits are more than a float32 direction needs, and halve the file. */
const VECTOR_DIGITS = 1e6;

/** Every passage as one JSON line, by key. Pages are read one after another: a passage written meanwhile may or may not be in. */
async function* exportLines(passages: Passages): AsyncGenerator<string, void, undefined> {
  let page = await readPage(passages, null);
  while (page.length > 0) {
    for (const { vec, ...fields } of page) yield `${JSON.stringify(vec === null ? fields : { ...fields, vec: rounded(vec) })}\n`;
    page = await readPage(passages, page.at(-1)!.id);
  }
}

export async function exportBlob(passages: Passages): Promise<Blob> {
  const parts: string[] = [];
  for await (const line of exportLines(passages)) parts.push(line);
  return new Blob(parts, { type: 'application/jsonl' });
}

type WholePassage = Entity<PassageShape, (typeof ALL_FIELDS)[number]>;

async function readPage(passages: Passages, after: string | null): Promise<readonly WholePassage[]> {
  const where = after === null ? {} : { id: { gt: after } };
  const { entities } = await passages.query({ where, orderBy: { field: 'id' }, limit: PAGE_ROWS, select: ALL_FIELDS });
  return entities;
}

function rounded(vector: Float32Array): number[] {
  return Array.from(vector, (value) => Math.round(value * VECTOR_DIGITS) / VECTOR_DIGITS);
}
