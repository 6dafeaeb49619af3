import { assert } from '@terndb/core';
import { SealedOrigins, SOURCE_HASH_BYTES } from '../embedding/origin.ts';
import { decodeCodes, encodeCodes } from './codes.ts';
import { SECTION } from './format.ts';
import type { EncodedSection } from './section-list.ts';
import type { Sections } from './sections.ts';
import { ROWS_PER_STEP, type Steps } from './steps.ts';
import { decodeStrings, encodeStrings } from './strings.ts';
import type { SegmentRows } from './types.ts';

/** A field's ORIGIN sections; none when none of its vectors is derived. */
export function* encodeOrigins(field: string, rows: SegmentRows): Steps<EncodedSection[]> {
  const models = new Map<string, number[]>();
  const hashes = new Uint8Array(rows.count * SOURCE_HASH_BYTES);
  for (let index = 0; index < rows.count; index++) {
    if (index % ROWS_PER_STEP === 0) yield;
    const origin = rows.originAt?.(field, index);
    if (origin === null || origin === undefined) continue;
    assert(
      origin.sourceHash.length === SOURCE_HASH_BYTES,
      () => `segment: field ${field} row ${index}: a source hash of 16 bytes expected`,
    );
    hashes.set(origin.sourceHash, index * SOURCE_HASH_BYTES);
    const offsets = models.get(origin.model);
    if (offsets === undefined) models.set(origin.model, [index]);
    else offsets.push(index);
  }
  if (models.size === 0) return [];
  const names = [...models.keys()].sort();
  const codes = new Uint32Array(rows.count);
  names.forEach((name, model) => {
    for (const index of models.get(name)!) codes[index] = model + 1;
  });
  return [
    ...(yield* encodeStrings(names, { offsets: SECTION.ORIGIN_MODEL_OFFSETS, values: SECTION.ORIGIN_MODEL_VALUES })),
    { kind: SECTION.ORIGIN_CODES, parts: [encodeCodes(codes, names.length + 1)] },
    { kind: SECTION.ORIGIN_HASHES, parts: [hashes] },
  ];
}

/** The way back; undefined when there are none. */
export function readOrigins(sections: Sections, field: number, rows: number): SealedOrigins | undefined {
  if (!sections.has(SECTION.ORIGIN_CODES, field)) return undefined;
  const what = `${sections.what} origins of field ${field}`;
  const offsets = sections.freeOffsets(SECTION.ORIGIN_MODEL_OFFSETS, field);
  const models = decodeStrings(offsets, sections.bytes(SECTION.ORIGIN_MODEL_VALUES, field, offsets[offsets.length - 1]), what);
  const codes = decodeCodes(sections.bytes(SECTION.ORIGIN_CODES, field), rows, models.length + 1, what);
  return new SealedOrigins(models, codes, sections.bytes(SECTION.ORIGIN_HASHES, field, rows * SOURCE_HASH_BYTES));
}
