import { DbError, defineSchema, f, MemoryMetaStore } from '@terndb/core';
import { FaultyMetaStore, propertyOptions, seededRng } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCatalog } from './catalog.ts';
import { readManifestPointer, writeManifestPointer } from './manifest-pointer.ts';

const schema = defineSchema({ notes: { key: f.primaryKey('varchar'), title: f.text() } }).definition;
const open = (meta: MemoryMetaStore | FaultyMetaStore, seed = 1, wanted = schema) =>
  openCatalog({ meta, rng: seededRng(seed), schema: wanted });

describe('the catalog', () => {
  it('keeps who the database is and the ids of collections and partitions', async () => {
    const meta = new MemoryMetaStore();
    const first = await open(meta);
    const { channel, stored } = first.createPartition('notes', 'mine');
    await stored;
    const second = await open(meta, 2);
    expect(second.database).toEqual(first.database);
    expect(second.mustGetCollection('notes')).toEqual(first.mustGetCollection('notes'));
    expect(second.mustGetChannel('notes', 'mine')).toBe(channel);
    expect(channel).toMatch(/^[0-9a-z]{16}\/[0-9a-z]{16}\/0$/);
    expect([...second.partitionsOf('notes').keys()].sort()).toEqual(['_default', 'mine']);
  });

  it('gives a changed schema a version of its own, also when its author forgot to', async () => {
    const meta = new MemoryMetaStore();
    expect((await open(meta)).mustGetCollection('notes').schemaVersion).toBe(1);
    const more = { key: f.primaryKey('varchar'), title: f.text(), extra: f.number().nullable() };
    const changed = await open(meta, 2, defineSchema({ notes: more }).definition);
    expect(changed.mustGetCollection('notes').schemaVersion).toBe(2);
    const again = await open(meta, 3, defineSchema({ notes: more }, { version: 9 }).definition);
    expect(again.mustGetCollection('notes').schemaVersion).toBe(2);
  });

  it('refuses a partition or manifest that another writer made first', async () => {
    const meta = new MemoryMetaStore();
    const [one, two] = [await open(meta), await open(meta, 2)];
    await one.createPartition('notes', 'p').stored;
    await expect(two.createPartition('notes', 'p').stored).rejects.toMatchObject({ code: 'APPEND_CONFLICT' });
    const pointer = await writeManifestPointer(meta, 'c/p/0', undefined, 'first');
    expect(await readManifestPointer(meta, 'c/p/0')).toEqual(pointer);
    await expect(writeManifestPointer(meta, 'c/p/0', undefined, 'second')).rejects.toMatchObject({ code: 'APPEND_CONFLICT' });
    expect((await writeManifestPointer(meta, 'c/p/0', pointer, 'second')).object).toBe('second');
  });

  it('forgets on reload a partition that could not be stored, and waits for those on their way', async () => {
    const meta = new FaultyMetaStore(new MemoryMetaStore());
    const catalog = await open(meta);
    meta.faults.failNext('compareAndSet');
    const release = meta.faults.holdNext('compareAndSet');
    const lost = catalog.createPartition('notes', 'lost');
    const late = catalog.createPartition('notes', 'late');
    await expect(lost.stored).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    const reloaded = catalog.reload();
    release();
    await reloaded;
    expect([...catalog.partitionsOf('notes').keys()].sort()).toEqual(['_default', 'late']);
    expect(catalog.mustGetChannel('notes', 'late')).toBe(late.channel);
  });

  it('answers damaged records with a typed error that names the key', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.uint8Array({ maxLength: 40 }), fc.boolean(), async (pick, at, splice, cut) => {
        const meta = new MemoryMetaStore();
        await open(meta);
        const entries = await meta.list('');
        const entry = entries[pick % entries.length]!;
        const from = at % entry.value.length;
        const rest = cut ? new Uint8Array(0) : entry.value.subarray(from + splice.length);
        await meta.compareAndSet(entry.key, entry.revision, Uint8Array.from([...entry.value.subarray(0, from), ...splice, ...rest]));
        await open(meta).catch((error: unknown) => {
          expect(error).toBeInstanceOf(DbError);
          expect(['FORMAT_INVALID', 'FORMAT_VERSION_UNSUPPORTED', 'SCHEMA_CONFLICT']).toContain((error as DbError).code);
        });
      }),
      propertyOptions(150),
    );
    const meta = new MemoryMetaStore();
    await open(meta);
    const entry = (await meta.get('database'))!;
    await meta.compareAndSet('database', entry.revision, new Uint8Array([...'{"format":9}'].map((letter) => letter.charCodeAt(0))));
    await expect(open(meta)).rejects.toMatchObject({
      code: 'FORMAT_VERSION_UNSUPPORTED',
      details: { key: 'database', expected: 1, got: 9 },
    });
  });
});
