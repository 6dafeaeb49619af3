import { type CollectionDefinition, DbError, defineSchema, f, schemaHash, type Timestamp } from '@terndb/core';
import type { ServerMessage } from '@terndb/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NodePorts, openNode } from '../open-node.ts';
import type { StandaloneNode } from '../standalone-node.ts';
import { memoryNodePorts } from '../testing/node-ports.ts';
import type { ResolveGrants } from '../types.ts';

const one = defineSchema({ notes: { title: f.text() } }).definition.collections.notes;
const withRank = defineSchema({ notes: { title: f.text(), rank: f.number().default(3) } }).definition.collections.notes;
const withTag = defineSchema({ notes: { title: f.text(), tag: f.keyword().nullable() } }).definition.collections.notes;
const other = defineSchema({ notes: { title: f.number() } }).definition.collections.notes;
const database = 'default';
const all: ResolveGrants = { canRead: () => true, canWrite: () => true, schema: true };

let ports: NodePorts;
let node: StandaloneNode;
beforeEach(async () => {
  ports = await memoryNodePorts();
  node = await openNode({ ports, slots: 2 });
});
afterEach(() => node.close());

async function restart(): Promise<void> {
  await node.close();
  node = await openNode({ ports, slots: 2 });
}

const resolve = (definition: CollectionDefinition, grants: ResolveGrants = all, partitions = ['_default']) =>
  node.resolve({ collections: [{ name: 'notes', schemaHash: schemaHash(definition), schemaVersion: 1, definition }], partitions }, grants);

describe('the catalog', () => {
  it('keeps everything over a restart', async () => {
    const { catalog } = node;
    await catalog.createDatabase('shop', { owner: 'ann' });
    const made = await catalog.createCollection('shop', 'notes', one, { properties: { about: 'notes' } });
    await catalog.createPartition('shop', 'notes', 'user:42');
    await catalog.setAlias('shop', 'current', 'notes');
    await catalog.alterCollection('shop', 'notes', { definition: withRank });
    const before = catalog.find('shop', 'current');
    await restart();
    expect(node.catalog.databases()).toEqual(['default', 'shop']);
    expect(node.catalog.find('shop', 'current')).toEqual(before);
    expect(before).toMatchObject({
      collectionId: made.collectionId,
      schemaVersion: 2,
      aliases: ['current'],
      properties: { about: 'notes' },
    });
    expect([...before!.partitions.keys()].sort()).toEqual(['_default', 'user:42']);
    const [channel] = before!.partitions.get('user:42')!;
    expect(node.catalog.placeOf(channel!)).toEqual({ database: 'shop', collection: 'notes', partition: 'user:42' });
  });

  it('goes on taking writes when a replacement is refused for its size', async () => {
    const { catalog } = node;
    const wide = defineSchema({ notes: { title: f.text().default('x'.repeat(50_000)) } }).definition.collections.notes;
    await catalog.createCollection(database, 'notes', one);
    const replacing = catalog.replaceEmpty(database, 'notes', () => ({ definition: wide, properties: { about: 'y'.repeat(20_000) } }));
    await expect(replacing).rejects.toMatchObject({ code: 'OPTION_INVALID', details: { expected: 65_536 } });
    await node.write({ type: 'put', database, collection: 'notes', entities: [{ id: 'a', title: 'there' }] });
    expect(await node.count({ database, collection: 'notes', consistency: 'strong' })).toMatchObject({ count: 1 });
  });

  it('replaces a definition while nothing was ever written, whoever writes meanwhile', async () => {
    const { catalog } = node;
    const before = await catalog.createCollection(database, 'notes', one, { properties: { about: 'x' } });
    await catalog.createPartition(database, 'notes', 'more');
    const replace = () => catalog.replaceEmpty(database, 'notes', ({ properties }) => ({ definition: other, properties }));
    const replaced = (await replace())!;
    expect(replaced).toMatchObject({ definition: other, schemaVersion: 1, properties: { about: 'x' } });
    expect(replaced.collectionId).not.toBe(before.collectionId);
    expect([...replaced.partitions.keys()].sort()).toEqual(['_default', 'more']);
    // Sent before, at the same time: it is counted, or refused, and in no case lost.
    const put = (id: string) => node.write({ type: 'put', database, collection: 'notes', entities: [{ id, title: 3 }] });
    const back = () => catalog.replaceEmpty(database, 'notes', ({ properties }) => ({ definition: one, properties }));
    const first = put('a');
    const tried = back();
    const second = put('b').then(
      () => 1,
      () => 0,
    );
    await first;
    expect(await tried).toBeUndefined();
    const { count } = await node.count({ database, collection: 'notes', consistency: 'strong' });
    expect(count).toBe(1 + (await second));
    await put('c');
    await node.write({ type: 'deleteBy', database, collection: 'notes', filter: 'title == 3' });
    // Rows that are gone are in the log all the same.
    expect(await back()).toBeUndefined();
    await restart();
    expect(node.catalog.find(database, 'notes')).toMatchObject({ collectionId: replaced.collectionId, definition: other });
  });

  it('refuses a write while it decides whether a collection is empty, and takes it afterwards', async () => {
    const { catalog } = node;
    await catalog.createCollection(database, 'notes', one);
    const replacing = catalog.replaceEmpty(database, 'notes', ({ properties }) => ({ definition: other, properties }));
    await Promise.resolve();
    const put = (title: unknown) => node.write({ type: 'put', database, collection: 'notes', entities: [{ id: 'a', title }] });
    await expect(put('x')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await replacing).toBeDefined();
    await put(1);
  });

  it('renames without moving anything: channels stay, rows stay', async () => {
    await node.catalog.createDatabase('shop');
    const before = await node.catalog.createCollection(database, 'notes', one);
    await node.write({ type: 'put', database, collection: 'notes', entities: [{ id: 'a', title: 'x' }] });
    await node.catalog.renameCollection(database, 'notes', { database: 'shop', name: 'books' });
    await restart();
    expect(node.catalog.find(database, 'notes')).toBeUndefined();
    expect(node.catalog.find('shop', 'books')).toMatchObject({ collectionId: before.collectionId, partitions: before.partitions });
    expect(await node.get({ database: 'shop', collection: 'books', keys: ['a'] })).toMatchObject({ entities: [{ title: 'x' }] });
  });

  it('gives a collection that is made anew other channels, so that an old outbox cannot write into it', async () => {
    const before = await node.catalog.createCollection(database, 'notes', one);
    await node.write({ type: 'put', database, collection: 'notes', entities: [{ id: 'a', title: 'x' }] });
    await node.catalog.dropCollection(database, 'notes');
    expect(node.catalog.placeOf(before.partitions.get('_default')![0]!)).toBeUndefined();
    await expect(node.count({ database, collection: 'notes' })).rejects.toMatchObject({ code: 'COLLECTION_UNKNOWN' });
    const after = await node.catalog.createCollection(database, 'notes', one);
    expect(after.partitions.get('_default')).not.toEqual(before.partitions.get('_default'));
    await restart();
    expect(await node.count({ database, collection: 'notes', consistency: 'strong' })).toMatchObject({ count: 0 });
  });

  it('shows rows that were written before under a definition with more fields, and takes the new fields at once', async () => {
    await node.catalog.createCollection(database, 'notes', one);
    const put = (entity: Record<string, unknown>) => node.write({ type: 'put', database, collection: 'notes', entities: [entity] });
    await put({ id: 'sealed', title: 'x' });
    await node.flush(database);
    await put({ id: 'growing', title: 'y' });
    await node.catalog.alterCollection(database, 'notes', { definition: withRank });
    await put({ id: 'new', title: 'z', rank: 9 });
    const { entities } = await node.query({ database, collection: 'notes', orderBy: { field: 'id' } });
    expect(entities).toEqual([
      { id: 'growing', title: 'y', rank: 3 },
      { id: 'new', title: 'z', rank: 9 },
      { id: 'sealed', title: 'x', rank: 3 },
    ]);
    expect(await node.count({ database, collection: 'notes', where: { rank: 3 } })).toMatchObject({ count: 2 });
    await node.flush(database);
    await restart();
    expect((await node.query({ database, collection: 'notes', orderBy: { field: 'id' } })).entities).toEqual(entities);
  });

  it('keeps channels and catalog usable when a schema change fails half-way, and finishes it later', async () => {
    for (const finish of [
      () => node.housekeep({ sweep: false }),
      () => node.catalog.alterCollection(database, 'notes', { definition: withRank }).then(() => {}),
    ]) {
      const { read } = ports.objects;
      await node.catalog.createCollection(database, 'notes', one);
      const put = (entity: Record<string, unknown>) => node.write({ type: 'put', database, collection: 'notes', entities: [entity] });
      await put({ id: 'a', title: 'x' });
      await node.flush(database);
      ports.objects.read = () => Promise.reject(new DbError('STORAGE_UNAVAILABLE', 'away'));
      const altered = node.catalog.alterCollection(database, 'notes', { definition: withRank });
      await expect(altered).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      expect(node.inspect().counters['schema_failures']).toBeGreaterThan(0);
      // Reads go on as before; what is written waits, and is not refused for good.
      expect(await node.count({ database, collection: 'notes' })).toMatchObject({ count: 1 });
      await expect(put({ id: 'b', title: 'y', rank: 7 })).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      const answers: ServerMessage[] = [];
      const [channel] = node.catalog.find(database, 'notes')!.partitions.get('_default')!;
      const principal = { session: 's', clientId: 'client', term: 1, subject: 'ann', canWrite: true };
      const session = node.openSession('s', (message) => answers.push(message));
      const op = { type: 'put', pk: 'c', fields: { title: 'z', rank: 8 }, create: true } as const;
      const record = { type: 'op', clientId: 'client', seq: 1, hlc: 1 as Timestamp, author: '', schemaVersion: 2, op } as const;
      session.route(principal, { type: 'push', channel: channel!, subscription: 1, records: [record] });
      expect(answers).toMatchObject([{ type: 'busy' }]);
      session.close();
      ports.objects.read = read;
      await finish();
      await put({ id: 'b', title: 'y', rank: 7 });
      expect((await node.query({ database, collection: 'notes', orderBy: { field: 'id' } })).entities).toEqual([
        { id: 'a', title: 'x', rank: 3 },
        { id: 'b', title: 'y', rank: 7 },
      ]);
      expect(node.catalog.find(database, 'notes')).toMatchObject({ schemaVersion: 2 });
      await node.catalog.dropCollection(database, 'notes');
    }
  });

  it('refuses what does not fit, and changes nothing', async () => {
    const { catalog } = node;
    await catalog.createCollection(database, 'notes', one);
    await catalog.createCollection(database, 'books', one);
    await catalog.setAlias(database, 'current', 'notes');
    const refused = async (change: Promise<unknown>, code: string) => expect(change).rejects.toMatchObject({ code });
    await refused(catalog.createCollection(database, 'notes', one), 'OPTION_INVALID');
    await refused(catalog.createCollection(database, 'current', one), 'OPTION_INVALID');
    await refused(catalog.createCollection(database, 'two words', one), 'SCHEMA_INVALID');
    await refused(catalog.createCollection('nowhere', 'x', one), 'OPTION_INVALID');
    await refused(catalog.createCollection(database, 'x', one, { shards: 2 }), 'OPTION_INVALID');
    await refused(catalog.alterCollection(database, 'notes', { definition: other }), 'SCHEMA_CONFLICT');
    await refused(catalog.renameCollection(database, 'notes', { name: 'books' }), 'OPTION_INVALID');
    await refused(catalog.dropCollection(database, 'notes'), 'OPTION_INVALID');
    await refused(catalog.dropPartition(database, 'notes', '_default'), 'OPTION_INVALID');
    await refused(catalog.dropPartition(database, 'notes', 'none'), 'PARTITION_UNKNOWN');
    await refused(catalog.createPartition(database, 'notes', 'two words'), 'OPTION_INVALID');
    await refused(catalog.setAlias(database, 'books', 'notes'), 'OPTION_INVALID');
    await refused(catalog.dropDatabase(database), 'OPTION_INVALID');
    await catalog.setAlias(database, 'current', 'books');
    expect(catalog.find(database, 'current')?.name).toBe('books');
    await catalog.dropAlias(database, 'current');
    expect(catalog.collections(database).map(({ name, aliases }) => [name, aliases])).toEqual([
      ['books', []],
      ['notes', []],
    ]);
  });
});

describe('a device that resolves', () => {
  it('has its collection made when its token grants schema, and is refused with SCHEMA_UNKNOWN otherwise', async () => {
    await expect(resolve(one, { ...all, schema: false })).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    const byName = () =>
      node.resolve({ collections: [{ name: 'notes' }, { name: 'nobody' }], partitions: ['_default'] }, { ...all, schema: false });
    expect(await byName()).toMatchObject({ collections: [], channels: [] });
    const answer = await resolve(one);
    expect(await byName()).toEqual(answer);
    expect(answer.logEpoch).toBe(node.logEpoch);
    expect(answer.collections).toMatchObject([{ name: 'notes', schemaVersion: 1, definition: one }]);
    const [channel] = node.catalog.find(database, 'notes')!.partitions.get('_default')!;
    expect(answer.channels).toEqual([{ collection: 'notes', partition: '_default', channel, access: 'write' }]);
    // Known: nobody needs a grant for it.
    expect(await resolve(one, { ...all, schema: false })).toEqual(answer);
  });

  it('adds its fields when its token grants schema, and adopts those it lacks', async () => {
    await resolve(one);
    await expect(resolve(withRank, { ...all, schema: false })).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    expect((await resolve(withRank)).collections).toMatchObject([{ schemaVersion: 2, definition: withRank }]);
    expect((await resolve(one, { ...all, schema: false })).collections).toMatchObject([{ schemaVersion: 2, definition: withRank }]);
    const both = (await resolve(withTag)).collections[0]!;
    expect(both.schemaVersion).toBe(3);
    expect(both.definition.fields.map(({ name }) => name)).toEqual(['id', 'rank', 'tag', 'title']);
  });

  it('leaves the choice of scalar indexes to who made the collection: a device with another has nothing to ask for', async () => {
    const of = (index: 'sorted' | 'none', more: object = {}): CollectionDefinition =>
      (defineSchema as (shapes: object) => ReturnType<typeof defineSchema>)({ notes: { rank: f.number({ index }), ...more } }).definition
        .collections['notes' as never]!;
    await resolve(of('sorted'));
    const denied = { ...all, schema: false };
    expect((await resolve(of('none'), denied)).collections).toMatchObject([{ schemaVersion: 1, definition: of('sorted') }]);
    const wider = await resolve(of('none', { tag: f.keyword().nullable() }));
    expect(wider.collections).toMatchObject([{ schemaVersion: 2, definition: of('sorted', { tag: f.keyword().nullable() }) }]);
  });

  it('is refused with SCHEMA_CONFLICT when a field is another', async () => {
    await resolve(one);
    await expect(resolve(other)).rejects.toMatchObject({ code: 'SCHEMA_CONFLICT', details: { field: 'title' } });
  });

  it('gets partitions by its grants: made if it may write, left out if it may only read, denied if neither', async () => {
    await resolve(one);
    const grants: ResolveGrants = {
      schema: false,
      canRead: (_, name) => name !== 'secret',
      canWrite: (_, name) => name.startsWith('mine'),
    };
    const answer = await resolve(one, grants, ['_default', 'mine:1', 'theirs', 'secret']);
    expect(answer.channels.map(({ partition, access }) => [partition, access])).toEqual([
      ['_default', 'read'],
      ['mine:1', 'write'],
    ]);
    expect(answer.denied).toEqual(['secret']);
    expect([...node.catalog.find(database, 'notes')!.partitions.keys()].sort()).toEqual(['_default', 'mine:1']);
  });

  it('finds the same with others that resolve at the same time', async () => {
    const answers = await Promise.all([resolve(one), resolve(withRank), resolve(withTag), resolve(withRank, all, ['new'])]);
    expect(new Set(answers.map(({ collections }) => collections[0]!.collectionId)).size).toBe(1);
    expect((await resolve(one)).collections[0]!.definition.fields.map(({ name }) => name)).toEqual(['id', 'rank', 'tag', 'title']);
  });
});
