import { type FieldDefinition, MemoryObjectStore, type ObjectStore } from '@terndb/core';
import { loadKernel } from '@terndb/kernel';
import { describe, expect, it } from 'vitest';
import { damageCode, withFlippedBit } from '../bytes/testing/damage-bytes.ts';
import { buildSegment, buildSegmentInSteps } from './build-segment.ts';
import { openSegment } from './open-segment.ts';
import { ROWS_PER_STEP } from './steps.ts';
import { definitionOf, FIELDS, inputOf, type TestRow } from './testing/segment-arbitraries.ts';

const ROWS = 9000;
const DIM = 160;
/** More vectors than one piece of 4 MiB, more text than the prefix of 64 KiB, and more sections than one range of 8 MiB. */
const definition = definitionOf(
  'varchar',
  FIELDS.filter(({ name }) => ['body', 'count', 'doc', 'vector'].includes(name)).map((field) =>
    field.type === 'vector' ? ({ ...field, params: { ...field.params, dim: DIM } } as FieldDefinition) : field,
  ),
);
const vectorOf = (index: number): Float32Array => Float32Array.from({ length: DIM }, (_, at) => index + at / DIM);
const rows: TestRow[] = Array.from({ length: ROWS }, (_, index) => ({
  pk: `key ${String(index).padStart(6, '0')}`,
  put: { hlc: (5000 + index) as never, clientId: `client ${index % 300}` },
  exceptions: index % 1000 === 7 ? [{ field: 'body', stamp: { hlc: (900_000 + index) as never, clientId: 'another' } }] : [],
  values: {
    body: `${'wörter '.repeat(index % 40)}${index}`,
    count: index,
    doc: new Uint8Array(600).fill(index),
    vector: index % 5 === 1 ? null : vectorOf(index),
  },
}));
const built = buildSegment(inputOf(definition, rows));
const file = new Uint8Array(built.info.bytes);
let end = 0;
for (const part of built.parts) {
  file.set(part, end);
  end += part.length;
}

/** A store that says what was asked of it, and does to answers what `change` does. */
function watched(change: (bytes: Uint8Array<ArrayBuffer>, offset: number) => Uint8Array<ArrayBuffer> = (bytes) => bytes): {
  objects: ObjectStore;
  reads: { offset: number; length: number }[];
} {
  const inner = new MemoryObjectStore(new Map([['s', file]]));
  const reads: { offset: number; length: number }[] = [];
  const objects: ObjectStore = {
    put: (name, parts) => inner.put(name, parts),
    head: (name) => inner.head(name),
    list: (prefix) => inner.list(prefix),
    delete: (name) => inner.delete(name),
    async read(name, offset, length) {
      reads.push({ offset, length });
      const bytes = await inner.read(name, offset, length);
      return bytes === undefined ? undefined : change(bytes, offset);
    },
  };
  return { objects, reads };
}

async function checkRows(objects: ObjectStore): Promise<void> {
  const kernel = await loadKernel();
  const segment = await openSegment({ objects, name: 's', kernel, definition, expected: built.info });
  for (let offset = 0; offset < ROWS; offset += 501) {
    const row = rows[offset]!;
    expect(segment.findKey(row.pk)).toBe(offset);
    expect(segment.putStampAt(offset)).toEqual(row.put);
    for (const field of ['body', 'count', 'doc', 'vector']) expect(segment.valueAt(field, offset)).toEqual(row.values[field]);
  }
  expect(segment.exceptionsAt(7)).toEqual(rows[7]!.exceptions);
  expect(segment.vectors('vector')!.rows).toBe(ROWS);
  segment.free();
  expect(kernel.usedBytes).toBe(0);
}

describe('a segment larger than the pieces it is read in', () => {
  it('is written in steps that look at few rows each', () => {
    const input = inputOf(definition, rows);
    let values = 0;
    const watchedRows: typeof input.rows = {
      count: input.rows.count,
      keyAt: (index) => input.rows.keyAt(index),
      putAt: (index) => input.rows.putAt(index),
      exceptionsAt: (index) => input.rows.exceptionsAt(index),
      valueAt: (field, index) => {
        values += 1;
        return input.rows.valueAt(field, index);
      },
    };
    const steps = buildSegmentInSteps({ ...input, rows: watchedRows });
    let most = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) {
      most = Math.max(most, values);
      values = 0;
    }
    expect(step.value.info).toEqual(built.info);
    expect(most).toBe(ROWS_PER_STEP);
  });

  it('is read by ranges of at most 8 MiB, none twice', async () => {
    const { objects, reads } = watched();
    await checkRows(objects);
    expect(file.length).toBeGreaterThan(9 << 20);
    expect(Math.max(...reads.map(({ length }) => length))).toBeLessThanOrEqual(8 << 20);
    const total = reads.reduce((sum, { length }) => sum + length, 0);
    expect(total).toBeLessThanOrEqual(file.length + (64 << 10));
  });

  it('is read the same from buffers that are not aligned', async () => {
    await checkRows(
      watched((bytes) => {
        const shifted = new Uint8Array(bytes.length + 1);
        shifted.set(bytes, 1);
        return shifted.subarray(1);
      }).objects,
    );
  });

  it('with a flipped bit far inside is refused and keeps no memory', async () => {
    const kernel = await loadKernel();
    for (const at of [70_000, 1 << 20, 5 << 20, file.length - (3 << 20), file.length - 9000]) {
      const objects = new MemoryObjectStore(new Map([['s', withFlippedBit(file, at * 8 + 3)]]));
      expect(await damageCode(() => openSegment({ objects, name: 's', kernel, definition }))).toBe('CHECKSUM_MISMATCH');
      expect(kernel.usedBytes).toBe(0);
    }
  });

  it('that the store cannot read to its end fails with the store\u2019s error and keeps no memory', async () => {
    const kernel = await loadKernel();
    const { reads } = await (async () => {
      const store = watched();
      (await openSegment({ objects: store.objects, name: 's', kernel, definition })).free();
      return store;
    })();
    for (let failing = 0; failing < reads.length; failing++) {
      let count = 0;
      const { objects } = watched((bytes) => {
        if (count++ === failing) throw new Error('the disk is gone');
        return bytes;
      });
      await expect(openSegment({ objects, name: 's', kernel, definition })).rejects.toThrow('the disk is gone');
      expect(kernel.usedBytes).toBe(0);
    }
  });

  it('that does not fit into kernel memory is MEMORY_LIMIT', async () => {
    const kernel = await loadKernel({ maxBytes: 2 << 20 });
    await expect(openSegment({ objects: watched().objects, name: 's', kernel, definition })).rejects.toMatchObject({
      code: 'MEMORY_LIMIT',
    });
    expect(kernel.usedBytes).toBe(0);
  });
});
