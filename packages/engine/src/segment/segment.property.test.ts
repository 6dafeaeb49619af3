import {
  addHash,
  type CollectionDefinition,
  hashToHex,
  MemoryObjectStore,
  normalizeInt64,
  type PrimaryKey,
  type ScalarValue,
  valueFieldsOf,
  ZERO_HASH,
} from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import { loadKernel } from '@terndb/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testBit } from '../bitmap/bitmap.ts';
import { columnValue } from '../columns/column-value.ts';
import { rowHash } from '../fold/row-hash.ts';
import { buildSegment, buildSegmentInSteps } from './build-segment.ts';
import { openSegment } from './open-segment.ts';
import { runInSlices } from './steps.ts';
import { definitionOf, definitions, FIELDS, inputOf, inputs, rowsFor, type TestRow } from './testing/segment-arbitraries.ts';
import type { BuiltSegment, Segment } from './types.ts';

const kernel = await loadKernel();

const fileOf = (built: BuiltSegment): Uint8Array<ArrayBuffer> => Uint8Array.from(built.parts.flatMap((part) => [...part]));

/** Seals the rows, opens them and hands the segment to `body`. */
async function sealed(definition: CollectionDefinition, rows: readonly TestRow[], body: (segment: Segment) => void): Promise<void> {
  const objects = new MemoryObjectStore();
  const { info, parts } = buildSegment(inputOf(definition, rows));
  await objects.put('s', parts);
  const segment = await openSegment({ objects, name: 's', kernel, definition, expected: info });
  expect(segment.info).toEqual(info);
  body(segment);
  segment.free();
  expect(kernel.usedBytes).toBe(0);
}

describe('a sealed segment', () => {
  it('gives back every key, value, stamp and null that was sealed', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, ({ definition, rows }) =>
        sealed(definition, rows, (segment) => {
          expect(segment.rows).toBe(rows.length);
          rows.forEach((row, offset) => {
            expect(segment.keyAt(offset)).toBe(row.pk);
            expect(segment.valueAt('id', offset)).toBe(row.pk);
            expect(segment.putStampAt(offset)).toEqual(row.put);
            expect(segment.exceptionsAt(offset)).toEqual(row.exceptions);
            expect(segment.versionAt(offset)).toBe(Math.max(row.put.hlc, ...row.exceptions.map(({ stamp }) => stamp.hlc)));
            for (const field of valueFieldsOf(definition)) expect(segment.valueAt(field.name, offset)).toEqual(row.values[field.name]);
            const hasWide = definition.fields.some(({ name }) => name === 'wide');
            expect(segment.origins('wide')?.originAt(offset) ?? null).toEqual(hasWide ? row.origins!['wide'] : null);
            const hasCollab = definition.fields.some(({ type }) => type === 'collab' || type === 'collabText');
            expect(segment.putSeqAt(offset)).toBe(hasCollab ? row.putSeq : 0);
          });
        }),
      ),
      propertyOptions(150),
    );
  });

  it('has a column of every field, whose values and validity are the rows', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, ({ definition, rows }) =>
        sealed(definition, rows, (segment) => {
          for (const field of valueFieldsOf(definition)) {
            const column = segment.column(field.name)!;
            const validity = column.kind === 'values' ? null : column.validity;
            const some = rows.some((row) => row.values[field.name] !== null);
            expect(validity === null).toBe(rows.every((row) => row.values[field.name] !== null));
            rows.forEach((row, offset) => {
              const value = row.values[field.name] ?? null;
              expect(validity === null || testBit(validity, offset)).toBe(value !== null);
              if (field.type === 'vector')
                expect(segment.vectors(field.name)?.row(offset)).toEqual(
                  some ? (value ?? new Float32Array((column as { dim: number }).dim)) : undefined,
                );
              else expect(columnValue(column, offset)).toEqual(value);
            });
          }
        }),
      ),
      propertyOptions(100),
    );
  });

  it('finds every key it has and no other', async () => {
    const cases = definitions.chain((definition) =>
      fc.record({ definition: fc.constant(definition), rows: rowsFor(definition), others: rowsFor(definition) }),
    );
    await fc.assert(
      fc.asyncProperty(cases, ({ definition, rows, others }) =>
        sealed(definition, rows, (segment) => {
          const offsets = new Map<PrimaryKey, number>(rows.map(({ pk }, offset) => [pk, offset]));
          for (const { pk } of [...rows, ...others]) expect(segment.findKey(pk)).toBe(offsets.get(pk) ?? -1);
          for (const key of ['zz', '', 12, 2n ** 62n, 2n ** 64n, Number.NaN, 1.5])
            expect(segment.findKey(key)).toBe(offsets.get(key) ?? -1);
        }),
      ),
      propertyOptions(150),
    );
  });

  it('[R13] has the sum of its rows\u2019 hashes, and each of them', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, ({ definition, rows }) =>
        sealed(definition, rows, (segment) => {
          let sum = ZERO_HASH;
          rows.forEach((row, offset) => {
            const exceptions = row.exceptions.length === 0 ? null : new Map(row.exceptions.map(({ field, stamp }) => [field, stamp]));
            const hash = rowHash(row.pk, { live: true, put: row.put, exceptions });
            expect(segment.hashAt(offset)).toEqual(hash);
            sum = addHash(sum, hash);
          });
          expect(hashToHex(segment.info.hash)).toBe(hashToHex(sum));
        }),
      ),
      propertyOptions(60),
    );
  });

  it('knows least and greatest value, nulls and distinct values of every column with an order', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, ({ definition, rows }) =>
        sealed(definition, rows, (segment) => {
          expect(segment.stats('id')).toEqual({ min: rows[0]!.pk, max: rows[rows.length - 1]!.pk, nulls: 0, distinct: rows.length });
          for (const field of valueFieldsOf(definition)) {
            const values = rows.map((row) => row.values[field.name] ?? null);
            const stats = segment.stats(field.name)!;
            expect(stats.nulls).toBe(values.filter((value) => value === null).length);
            const type = field.type === 'array' ? field.params.of.type : field.type;
            if (!['keyword', 'int64', 'number', 'date', 'boolean'].includes(type))
              expect(stats).toMatchObject({ min: null, max: null, distinct: null });
            else {
              // `+ 0` and the Set treat -0 and 0 as one value.
              const scalars = values.flat().filter((value) => value !== null) as ScalarValue[];
              const sorted = [...new Set(scalars)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
              expect(stats.distinct).toBe(sorted.length);
              expect(stats.min === (sorted[0] ?? null)).toBe(true);
              expect(stats.max === (sorted[sorted.length - 1] ?? null)).toBe(true);
            }
          }
        }),
      ),
      propertyOptions(100),
    );
  });

  it('has the same bytes when it is written in slices', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, fc.nat({ max: 5 }), async ({ definition, rows }, stepsPerSlice) => {
        const inOne = buildSegment(inputOf(definition, rows));
        let steps = 0;
        let pauses = 0;
        const slices = {
          begin: () => {},
          get isOver() {
            return ++steps % (stepsPerSlice + 1) === 0;
          },
          pause: async () => {
            pauses += 1;
          },
        };
        const inSlices = await runInSlices(buildSegmentInSteps(inputOf(definition, rows)), slices);
        expect(fileOf(inSlices)).toEqual(fileOf(inOne));
        expect(inSlices.info).toEqual(inOne.info);
        expect(pauses).toBeGreaterThan(0);
      }),
      propertyOptions(60),
    );
  });

  it('has the same bytes and id whenever its rows are the same, and another id when anything is not', () => {
    const changes = fc.constantFrom('put', 'client', 'value', 'channel');
    fc.assert(
      fc.property(inputs, changes, ({ definition, rows }, change) => {
        const first = buildSegment(inputOf(definition, rows));
        const again = buildSegment(inputOf(definition, structuredCloneRows(rows)));
        expect(fileOf(again)).toEqual(fileOf(first));
        expect(again.info).toEqual(first.info);
        expect(first.info.bytes).toBe(fileOf(first).length);
        const row = rows[0]!;
        const put =
          change === 'put'
            ? { ...row.put, hlc: (row.put.hlc === 0 ? 1 : row.put.hlc - 1) as typeof row.put.hlc }
            : { ...row.put, clientId: `${row.put.clientId}x` };
        const field = valueFieldsOf(definition).find(({ type }) => type === 'text');
        const changed =
          change === 'value' && field !== undefined
            ? { ...row, values: { ...row.values, [field.name]: `${row.values[field.name] ?? ''}!` } }
            : { ...row, put };
        const input = inputOf(definition, change === 'channel' ? rows : [changed, ...rows.slice(1)]);
        expect(buildSegment(change === 'channel' ? { ...input, channel: 'c1/p1/1' } : input).info.id).not.toBe(first.info.id);
      }),
      propertyOptions(60),
    );
  });
});

/** Equal rows that share no object. */
function structuredCloneRows(rows: readonly TestRow[]): TestRow[] {
  return rows.map((row) => ({ ...row, put: { ...row.put }, exceptions: [...row.exceptions], values: { ...row.values } }));
}

describe('a segment older than its collection', () => {
  it('has no column for a field it does not know, and its default, or null, as value', async () => {
    const text = FIELDS.find(({ name }) => name === 'body')!;
    const count = FIELDS.find(({ name }) => name === 'count')!;
    const older = definitionOf('varchar', [text]);
    const newer = definitionOf('varchar', [
      text,
      { ...count, default: '9007199254740993' } as typeof count,
      FIELDS.find(({ name }) => name === 'kind')!,
    ]);
    const objects = new MemoryObjectStore();
    const row: TestRow = { pk: 'a', put: { hlc: 1 as never, clientId: 'ada' }, exceptions: [], values: { body: 'text' } };
    await objects.put('s', buildSegment(inputOf(older, [row])).parts);
    const segment = await openSegment({ objects, name: 's', kernel, definition: newer });
    expect(segment.column('count')).toBeUndefined();
    expect(segment.stats('count')).toBeUndefined();
    expect(segment.valueAt('count', 0)).toBe(normalizeInt64(9007199254740993n));
    expect(segment.valueAt('kind', 0)).toBeNull();
    expect(segment.valueAt('body', 0)).toBe('text');
    segment.free();
  });
});
