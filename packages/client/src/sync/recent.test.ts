import {
  type CollectionDefinition,
  defineSchema,
  f,
  MemoryLogBroker,
  MemoryMetaStore,
  type PrimaryKey,
  type SchemaDefinition,
  type Timestamp,
} from '@terndb/core';
import { type Engine, openEngine } from '@terndb/engine';
import { loadManifest, type Manifest, readManifestPointers } from '@terndb/engine/parts';
import { loadKernel } from '@terndb/kernel';
import { type ClientEvent, encodeBootstrapReference, type ResolveAnswer } from '@terndb/sync';
import { afterEach, describe, expect, it } from 'vitest';
import { browserClock } from '../adapters/clock.ts';
import { createBrowserRng } from '../adapters/rng.ts';
import { MemoryObjectsInParts } from '../storage/object-parts.ts';
import { BootstrapDownloader } from './bootstrap.ts';
import { Bootstraps } from './bootstraps.ts';
import { DEFAULT_BUDGET_BYTES, leftOutOf } from './keep-recent.ts';
import { endpointOf, type Network } from './network.ts';
import { ObjectSweep } from './object-sweep.ts';
import { OutboxSlot } from './outbox-slot.ts';
import { placesOf, samePlaces } from './places.ts';
import { MemoryRowStore } from './store/memory-row-store.ts';
import { SyncStore } from './store/sync-store.ts';

const schema: SchemaDefinition = defineSchema({ notes: { title: f.text({ search: true }) } }).definition;
const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

/** More than what every seal rewrites: a segment of its own. */
const OLD_ROWS = 2_100;
const NEW_ROWS = 40;

interface Ports {
  readonly log: MemoryLogBroker;
  readonly meta: MemoryMetaStore;
  readonly objects: MemoryObjectsInParts;
}
const memoryPorts = (): Ports => ({ log: new MemoryLogBroker(), meta: new MemoryMetaStore(), objects: new MemoryObjectsInParts() });

async function openOn(ports: Ports, outbox?: OutboxSlot): Promise<Engine> {
  const all = { ...ports, clock: browserClock, rng: createBrowserRng(), kernel: await loadKernel({}) };
  const engine = await openEngine({ ports: all, schema, ...(outbox === undefined ? {} : { outbox }) });
  engines.push(engine);
  return engine;
}

/** A channel of two sealed segments, the older one much larger; as a server has it. */
async function sealed(): Promise<{ channel: string; manifest: Manifest; objects: MemoryObjectsInParts; name: string }> {
  const ports = memoryPorts();
  const engine = await openOn(ports);
  for (const [prefix, count] of [
    ['old', OLD_ROWS],
    ['new', NEW_ROWS],
  ] as const) {
    const entities = Array.from({ length: count }, (_, index) => ({ id: `${prefix}${index}`, title: `${prefix} ${index}` }));
    await engine.write({ type: 'put', collection: 'notes', partition: 'p', entities }).durable;
    await engine.seal();
  }
  const [[channel, pointer]] = [...(await readManifestPointers(ports.meta))] as unknown as [[string, { object: string }]];
  return { channel, manifest: await loadManifest(ports.objects, pointer.object), objects: ports.objects, name: pointer.object };
}

/** A device that has brought what fits the budget. */
async function bring(source: Awaited<ReturnType<typeof sealed>>, budgetBytes: number | null) {
  const ports = memoryPorts();
  const outbox = new OutboxSlot();
  const engine = await openOn(ports, outbox);
  const written: PrimaryKey[] = [];
  outbox.host = {
    add: (_channel, op) => {
      written.push('pk' in op ? op.pk : 'batch');
      return { entry: { id: written.length, op, hlc: 9e15 as Timestamp, clientId: 'me' }, durable: Promise.resolve() };
    },
  };
  const { channel, manifest } = source;
  const place = { channel, collection: 'notes', partition: 'p', overlay: [] };
  await engine.replication.open([{ ...place, logEpoch: null }]);
  const files = await source.objects.list('');
  const asked: string[] = [];
  const network: Network = {
    openSocket: () => {
      throw new Error('no socket');
    },
    request: async ({ url, headers }) => {
      const name = decodeURIComponent(url.split('/sync/')[1]!);
      asked.push(name);
      const [from, to] = /bytes=(\d+)-(\d+)/.exec(headers!['range']!)!.slice(1).map(Number) as [number, number];
      return { status: 206, bytes: async () => (await source.objects.read(name, from, to + 1 - from))! };
    },
  };
  const object = ({ name, bytes }: { name: string; bytes: number }) => ({ name, bytes, url: encodeURIComponent(name) });
  const named = new Set(manifest.segments.flatMap(({ name, indexes }) => [name, ...indexes.map((index) => index.name)]));
  const reference = encodeBootstrapReference({
    manifest: object(files.find(({ name }) => name === source.name)!),
    objects: files.filter(({ name }) => named.has(name)).map(object),
  });
  const events: ClientEvent[] = [];
  const { objects } = ports;
  const bootstraps = new Bootstraps({
    replication: engine.replication,
    downloader: new BootstrapDownloader({ objects, network, endpoint: endpointOf('http://server/sync')! }),
    budgetOf: () => budgetBytes,
    dispatch: (event) => events.push(event),
    onProgress: () => {},
  });
  await bootstraps.fetch({ type: 'fetch', channel, fetch: 1, offer: { reference } as never, clientIds: [] });
  expect(events).toMatchObject([{ type: 'fetched', snapshot: { position: manifest.upTo } }]);
  const rows = new MemoryRowStore(ports);
  const store = new SyncStore(rows);
  await store.readChannel(channel);
  const swap = { type: 'swap' as const, channel, fetch: 1 };
  await store.commit(1, [{ writes: [swap] }], new Map([[1, bootstraps.adopted(1)]]));
  engine.replication.apply([{ ...swap, logEpoch: 'universe' }]);
  bootstraps.swapped(1);
  return { engine, ports, rows, store, asked, written, place };
}
const sizeOf = ({ bytes, indexes }: Manifest['segments'][number]): number => indexes.reduce((sum, index) => sum + index.bytes, bytes);
const request = { collection: 'notes', partitions: ['p'] };

describe("keep: 'recent'", () => {
  it('leaves out what does not fit, the oldest first, each segment with its indexes', () => {
    const segment = (id: string, bytes: number, index: number) => ({ id, bytes, indexes: [{ bytes: index }] });
    const manifest = { segments: [segment('a', 50, 0), segment('b', 400, 0), segment('c', 60, 40), segment('d', 100, 0)] } as never;
    expect(leftOutOf(manifest, 250)).toEqual(['b']);
    expect(leftOutOf(manifest, 200)).toEqual(['b', 'a']);
    expect(leftOutOf(manifest, 199)).toEqual(['c', 'b']);
    expect(leftOutOf(manifest, 10)).toEqual(['d', 'c', 'b', 'a']);
    expect(leftOutOf(manifest, null)).toEqual([]);
  });

  it('is shared in equal parts by the collections of a partition; another share is another place', () => {
    const definition = schema.collections['notes'] as CollectionDefinition;
    const names = ['notes', 'tasks'];
    const answer = {
      collections: names.map((name) => ({ name, collectionId: name, schemaVersion: 2, definition })),
      channels: names.map((collection) => ({ collection, partition: 'p', channel: collection, access: 'write' })),
    } as unknown as ResolveAnswer;
    const of = (wanted: object) => placesOf({ url: '', partitions: [{ name: 'p', keep: 'recent', ...wanted }] as never }, answer);
    expect(of({ budgetBytes: 101 }).map(({ budgetBytes }) => budgetBytes)).toEqual([50, 50]);
    expect(of({}).map(({ budgetBytes }) => budgetBytes)).toEqual([DEFAULT_BUDGET_BYTES / 2, DEFAULT_BUDGET_BYTES / 2]);
    expect(of({ keep: 'all' }).map(({ budgetBytes }) => budgetBytes)).toEqual([null, null]);
    expect(samePlaces(of({}), of({ budgetBytes: 5 }))).toBe(false);
    expect(samePlaces(of({}), of({}))).toBe(true);
  });

  it('downloads and shows the newest, says how much that is, and keeps to it after a restart', async () => {
    const source = await sealed();
    const [older, newer] = source.manifest.segments as [Manifest['segments'][number], Manifest['segments'][number]];
    const { engine, ports, asked, place, store } = await bring(source, sizeOf(newer));
    expect(asked).toContain(newer.name);
    expect(asked).not.toContain(older.name);
    const check = (one: Engine): void => {
      const count = one.count(request);
      expect(count.count).toBe(NEW_ROWS);
      expect(count.coverage).toBeCloseTo(NEW_ROWS / (NEW_ROWS + OLD_ROWS), 5);
      expect(one.replication.state(source.channel)).toMatchObject({ leftOut: [older.id], quarantined: [], missingRows: OLD_ROWS });
    };
    check(engine);
    expect(await store.readBudget(source.channel)).toBe(sizeOf(newer));
    await engine.close();
    const again = await openOn(ports, new OutboxSlot());
    await again.replication.open([{ ...place, logEpoch: 'universe' }]);
    check(again);
  });

  it('sends writes to rows that are not here, which only the log can judge', async () => {
    const source = await sealed();
    const { engine, written } = await bring(source, 1);
    const keyed = { collection: 'notes', partition: 'p' };
    expect(engine.count(request).count).toBe(0);
    await engine.write({ type: 'patch', ...keyed, key: 'old1', fields: { title: 'other' } }).durable;
    await engine.write({ type: 'delete', ...keyed, key: 'old2' }).durable;
    await engine.write({ type: 'put', ...keyed, entities: [{ id: 'old3', title: 'anew' }] }).durable;
    expect(written).toEqual(['old1', 'old2', 'old3']);
    expect(engine.query(request)).toMatchObject({ keys: ['old3'], pendingKeys: ['old3'] });
    expect(() =>
      engine.write({ type: 'patch', collection: 'notes', key: 'old1', fields: { title: 'x' }, partition: undefined }),
    ).toThrowError(expect.objectContaining({ code: 'PARTITION_REQUIRED' }));
  });

  it('gives space back: what no adopted manifest names, or names and is left out, is swept, unless something is on its way', async () => {
    const source = await sealed();
    const [older, newer] = source.manifest.segments as [Manifest['segments'][number], Manifest['segments'][number]];
    const { ports, rows, engine } = await bring(source, sizeOf(newer));
    const { channel } = source;
    for (const name of [older.name, `${channel}/segment-older-still`]) await ports.objects.put(name, [Uint8Array.of(1)]);
    await ports.objects.put(`${channel}/index-${newer.id}-ours`, [Uint8Array.of(2)]);
    const before = (await ports.objects.list('')).map(({ name }) => name);
    let isBusy = true;
    const sweep = new ObjectSweep({ clock: browserClock, rows, objects: ports.objects, isBusy: () => isBusy });
    expect(await sweep.sweep(channel)).toEqual([]);
    isBusy = false;
    expect([...(await sweep.sweep(channel))].sort()).toEqual([older.name, `${channel}/segment-older-still`].sort());
    expect((await ports.objects.list('')).map(({ name }) => name)).toHaveLength(before.length - 2);
    expect(await sweep.sweep(channel)).toEqual([]);
    expect(engine.count(request).count).toBe(NEW_ROWS);
  });
});
