import { defineSchema, f, MemoryLogBroker, MemoryMetaStore } from '@terndb/core';
import { type Engine, openEngine } from '@terndb/engine';
import { loadKernel } from '@terndb/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { browserClock } from '../adapters/clock.ts';
import { createBrowserRng } from '../adapters/rng.ts';
import { MemoryObjectsInParts } from '../storage/object-parts.ts';
import { OutboxSlot } from './outbox-slot.ts';
import { PresenceDesk } from './presence-desk.ts';
import * as replication from './replication.ts';
import { MemoryRowStore } from './store/memory-row-store.ts';
import { type LoadReplication, SyncDoor } from './sync-door.ts';
import type { SyncReport } from './sync-report.ts';
import { MemoryServer } from './testing/memory-server.ts';

const { definition: schema } = defineSchema({ notes: { title: f.text() } });
const request = { url: 'http://server/sync', partitions: [{ name: 'p', keep: 'all' }] } as const;

const open: { door: SyncDoor; engine: Engine }[] = [];
afterEach(async () => {
  for (const { door, engine } of open.splice(0)) {
    await door.close();
    await engine.close();
  }
});

async function openDoor(load: LoadReplication, rows?: MemoryRowStore) {
  const [log, meta, objects] = [new MemoryLogBroker(), new MemoryMetaStore(), new MemoryObjectsInParts()];
  const outbox = new OutboxSlot();
  const rng = createBrowserRng();
  const engine = await openEngine({
    ports: { log, meta, objects, clock: browserClock, rng, kernel: await loadKernel({}) },
    schema,
    outbox,
  });
  // Retries are a matter of a turn here.
  const clock = { ...browserClock, after: (_delayMs: number, callback: () => void) => browserClock.after(1, callback) };
  const ports = {
    clock,
    rng,
    network: await MemoryServer.start(browserClock, schema),
    rows: rows ?? new MemoryRowStore({ log, meta }),
    objects,
    engine,
    outbox,
    presence: new PresenceDesk(),
    term: 1,
    exclusive: (run: () => Promise<void>) => run(),
    onSchema: () => {},
    onFailed: () => {},
  };
  const door = await SyncDoor.open(ports, load);
  open.push({ door, engine });
  return { door, ports };
}

describe('the door to replication', () => {
  it('stays closed for a database that was never connected, and answers as one that is off', async () => {
    let loads = 0;
    const { door } = await openDoor(async () => {
      loads += 1;
      return replication;
    });
    const seen: SyncReport[] = [];
    door.onReport((report) => seen.push(report));
    door.disconnect();
    expect({ loads, isConnected: door.isConnected, reads: door.reads }).toEqual({ loads: 0, isConnected: false, reads: undefined });
    expect(seen[0]).toMatchObject({ status: { state: { name: 'off' }, outbox: 0 }, isNew: true });
  });

  it('opens with the first connection, and tells those who listened before', async () => {
    const { door } = await openDoor(async () => replication);
    const seen: string[] = [];
    door.onReport(({ status }) => seen.push(status.state.name));
    await door.connect(request);
    expect(door.isConnected).toBe(true);
    await expect.poll(() => seen.includes('connecting')).toBe(true);
  });

  it('is open from the start where a connection is stored, and says which schema the server has', async () => {
    const rows = new MemoryRowStore({ log: new MemoryLogBroker(), meta: new MemoryMetaStore() });
    const answer = {
      logEpoch: 'e',
      channels: [],
      collections: [{ name: 'notes', definition: schema.collections.notes, schemaVersion: 3 }],
    };
    const record = { format: 1, value: { ...request, answer, currentAtMs: null, opened: ['tasks'] } };
    await rows.commit(1, [{ type: 'meta', key: 'sync/connection', value: new TextEncoder().encode(JSON.stringify(record)) }]);
    const { door } = await openDoor(async () => replication, rows);
    expect(door.isConnected).toBe(true);
    expect(await SyncDoor.knownSchema(rows)).toMatchObject({ schema: { version: 3, collections: { notes: {} } }, opened: ['tasks'] });
  });

  it('says offline while the code cannot be loaded, tries again, and forgets a connection that was ended meanwhile', async () => {
    let isThere = false;
    const { door } = await openDoor(async () => {
      if (!isThere) throw new TypeError('Failed to fetch dynamically imported module');
      return replication;
    });
    const seen: string[] = [];
    door.onReport(({ status }) => seen.push(status.state.name));
    await door.connect(request);
    expect(seen).toEqual(['off', 'offline']);
    door.disconnect();
    expect(seen.at(-1)).toBe('off');
    await door.connect(request);
    isThere = true;
    await expect.poll(() => door.isConnected).toBe(true);
  });
});
