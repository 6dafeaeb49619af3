import { MemoryMetaStore } from '@terndb/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readStagedBatch, type StagedVector, writeStagedBatch } from './staged-batch.ts';
import { type StagedSpace, StagedVectors } from './staged-vectors.ts';

const space: StagedSpace = { collection: 'notes', field: 'vec', model: 'm2', dim: 3 };
const row = (key: StagedVector['key'], partition = '_default'): StagedVector => ({
  partition,
  key,
  sourceHash: Uint8Array.of(1, 2, 250),
  vector: Float32Array.of(1, 0.5, -2),
});
const exchanged = async (staged: StagedVectors) => {
  const keys: unknown[] = [];
  await staged.exchange(async (rows) => keys.push(...rows.map(({ key }) => key)));
  return keys.sort();
};

describe('a batch of staged vectors', () => {
  const hash = fc.uint8Array({ maxLength: 16 });
  const vector = fc.option(fc.float32Array({ minLength: 3, maxLength: 3, noNaN: true }));
  const key = fc.oneof(fc.string(), fc.maxSafeInteger(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }));
  const rows = fc.array(fc.record({ partition: fc.string(), key, sourceHash: hash, vector }), { maxLength: 5 });

  it('is read as it was written, whatever the keys', () => {
    fc.assert(
      fc.property(rows, (given) => {
        expect(readStagedBatch(writeStagedBatch(given, 3), 3)).toEqual(given);
      }),
    );
  });

  it('is refused when cut or damaged in its head or rows', () => {
    const bytes = writeStagedBatch([row('a'), row(7)], 3);
    for (let length = 0; length < bytes.length; length++)
      expect(() => readStagedBatch(bytes.subarray(0, length), 3)).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }));
    expect(() => readStagedBatch(bytes, 4)).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }));
    for (let at = 0; at < 16; at++) {
      const other = bytes.slice();
      other[at]! ^= 0xff;
      expect(() => readStagedBatch(other, 3), `byte ${at}`).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }));
    }
  });
});

describe('staged vectors', () => {
  it('are found again by the same model, exchanged once, and then gone', async () => {
    const meta = new MemoryMetaStore();
    const first = await StagedVectors.create(meta, space);
    await first.add([row('a'), row('b')]);
    await first.add([row(1), row('a', 'other')]);
    const again = (await StagedVectors.find(meta, space))!;
    expect([again.has('_default', 'b'), again.has('_default', 1), again.has('_default', '1'), again.has('other', 'a')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(await exchanged(again)).toEqual([1, 'a', 'a', 'b']);
    expect(await meta.list('')).toEqual([]);
    expect(await StagedVectors.find(meta, space)).toBeUndefined();
  });

  it('of another model or dimension are deleted', async () => {
    for (const other of [
      { ...space, model: 'm3' },
      { ...space, dim: 4 },
    ]) {
      const meta = new MemoryMetaStore();
      await (await StagedVectors.create(meta, space)).add([row('a')]);
      expect(await StagedVectors.find(meta, other)).toBeUndefined();
      expect(await meta.list('')).toEqual([]);
    }
  });

  it('go on where an exchange was cut off', async () => {
    const meta = new MemoryMetaStore();
    const staged = await StagedVectors.create(meta, space);
    for (const key of ['a', 'b', 'c']) await staged.add([row(key)]);
    const written: unknown[] = [];
    const write = async (rows: readonly StagedVector[]) => {
      if (written.length === 1) throw new Error('the tab was closed');
      written.push(rows[0]!.key);
    };
    await expect(staged.exchange(write)).rejects.toThrow('the tab was closed');
    expect(await exchanged((await StagedVectors.find(meta, space))!)).toEqual(['a', 'b']);
    expect(written).toEqual(['c']);
  });

  it('that are damaged are left out: their rows wait again', async () => {
    const meta = new MemoryMetaStore();
    const staged = await StagedVectors.create(meta, space);
    await staged.add([row('a')]);
    await staged.add([row('b')]);
    const entry = (await meta.get('embedding/staged/notes/vec/0'))!;
    await meta.compareAndSet(entry.key, entry.revision, entry.value.slice(0, -1));
    const found = (await StagedVectors.find(meta, space))!;
    expect([found.has('_default', 'a'), found.has('_default', 'b')]).toEqual([false, true]);
    expect(await exchanged(found)).toEqual(['b']);
  });
});
