import { DbError, defineSchema, f, MemoryLogBroker, MemoryMetaStore, type Timestamp } from '@terndb/core';
import { type Engine, openEngine } from '@terndb/engine';
import { loadKernel } from '@terndb/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { browserClock } from '../adapters/clock.ts';
import { createBrowserRng } from '../adapters/rng.ts';
import { MemoryObjectsInParts } from '../storage/object-parts.ts';
import { BootstrapDownloader } from './bootstrap.ts';
import { endpointOf } from './network.ts';
import { OutboxSlot } from './outbox-slot.ts';
import { MemoryRowStore } from './store/memory-row-store.ts';
import { SyncStore } from './store/sync-store.ts';
import { SyncHost } from './sync-host.ts';
import { MemoryServer } from './testing/memory-server.ts';

const { definition: schema } = defineSchema({ notes: { title: f.text() } });
const CHANNEL = 'cnotes/pp/0';
const device = { clientId: 'me', subject: '', logEpoch: null, hlc: 0 as Timestamp, nextId: 1 };

interface Device {
  readonly engine: Engine;
  readonly rows: MemoryRowStore;
  readonly host: SyncHost;
  readonly failed: DbError[];
  readonly acked: number[];
}
const open: Device[] = [];
afterEach(async () => {
  for (const { host, engine } of open.splice(0)) {
    await host.stop();
    await engine.close();
  }
});

async function openDevice(): Promise<Device> {
  const [log, meta, objects] = [new MemoryLogBroker(), new MemoryMetaStore(), new MemoryObjectsInParts()];
  const outbox = new OutboxSlot();
  const rng = createBrowserRng();
  const engine = await openEngine({
    ports: { log, meta, objects, clock: browserClock, rng, kernel: await loadKernel({}) },
    schema,
    outbox,
  });
  const rows = new MemoryRowStore({ log, meta });
  const network = await MemoryServer.start(browserClock, schema);
  const endpoint = endpointOf('http://server/sync')!;
  const failed: DbError[] = [];
  const acked: number[] = [];
  const host = new SyncHost(
    {
      clock: browserClock,
      rng,
      store: new SyncStore(rows),
      replication: engine.replication,
      network,
      endpoint,
      downloader: new BootstrapDownloader({ objects, network, endpoint }),
      token: () => Promise.reject(new DbError('AUTH_REQUIRED', 'none')),
    },
    {
      onStatus() {},
      onChange() {},
      onAcked: (_, id) => acked.push(id),
      onRejected() {},
      onDenied() {},
      onGone() {},
      onFresh() {},
      onEpoch() {},
      onRetry() {},
      onProgress() {},
      onSwapped() {},
      onPresent() {},
      onHinted() {},
      onAltered() {},
      onFailed: (error) => failed.push(error),
    },
    { places: [{ channel: CHANNEL, collection: 'notes', partition: 'p', schemaVersion: 1, budgetBytes: null }], term: 1, device },
  );
  outbox.host = host;
  await host.open();
  const made = { engine, rows, host, failed, acked };
  open.push(made);
  return made;
}
const put = (engine: Engine, id: string): ReturnType<Engine['write']> =>
  engine.write({ type: 'put', collection: 'notes', partition: 'p', entities: [{ id, title: id }] });
const keys = (engine: Engine): readonly unknown[] => engine.query({ collection: 'notes', partitions: ['p'] }).keys;

describe('the host of replication', () => {
  it('shows a write at once, and says local when it is stored', async () => {
    const { engine, rows, host } = await openDevice();
    const ticket = put(engine, 'a');
    expect(keys(engine)).toEqual(['a']);
    expect(await rows.rows('outbox')).toHaveLength(0);
    await ticket.durable;
    expect(await rows.rows('outbox')).toHaveLength(1);
    expect(host.outboxSize).toBe(1);
  });

  it('refuses what the disk has no room for, takes it back from what is shown, and takes the next write', async () => {
    const { engine, rows, host } = await openDevice();
    await put(engine, 'a').durable;
    rows.failNext = new DbError('STORAGE_FULL', 'full');
    const lost = put(engine, 'b');
    expect(keys(engine)).toEqual(['a', 'b']);
    await expect(lost.durable).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    // 'a' is still unsent, though until the database has been read again nobody can count it: a logout that uploads must not take it for none.
    expect([host.isOpen, host.outboxSize]).toEqual([false, expect.any(Number)]);
    while (keys(engine).length > 1) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(keys(engine)).toEqual(['a']);
    for (;;) {
      try {
        await put(engine, 'c').durable;
        break;
      } catch (error) {
        // Until the database has been read again.
        expect(error).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    expect(keys(engine)).toEqual(['a', 'c']);
    expect(host.isOpen).toBe(true);
    expect(host.outboxOf(CHANNEL).map(({ seq }) => seq)).toEqual([1, 2]);
    expect((await rows.rows('outbox')).map(({ id }) => id)).toEqual([1, 2]);
  });

  it('stores the entries of one write together, and writes that wait for the disk in one transaction', async () => {
    const { engine, rows } = await openDevice();
    const commit = rows.commit.bind(rows);
    let commits = 0;
    rows.commit = async (term, ops) => {
      commits += 1;
      await commit(term, ops);
    };
    const tickets = ['a', 'b', 'c', 'd'].map((id) => put(engine, id));
    await Promise.all(tickets.map(({ durable }) => durable));
    expect(commits).toBeLessThanOrEqual(2);
    expect(await rows.rows('outbox')).toHaveLength(4);
  });

  it('[R11] is over when another tab leads', async () => {
    const { engine, rows, failed } = await openDevice();
    rows.failNext = new DbError('APPEND_CONFLICT', 'fenced', { details: { reason: 'fenced' } });
    await expect(put(engine, 'a').durable).rejects.toMatchObject({ code: 'APPEND_CONFLICT' });
    expect(failed.map(({ code }) => code)).toEqual(['APPEND_CONFLICT']);
    expect(() => put(engine, 'b')).toThrowError(expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' }));
  });
});
