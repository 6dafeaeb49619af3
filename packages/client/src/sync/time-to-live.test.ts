import { type Clock, DbError, defineSchema, f, MemoryLogBroker, MemoryMetaStore, type SchemaDefinition } from '@terndb/core';
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
import { SyncDoor } from './sync-door.ts';
import type { SyncReport } from './sync-report.ts';
import { until } from './testing/databases-in-node.ts';
import { MemoryServer, tokenOf } from './testing/memory-server.ts';

const MINUTE = 60;
const notes = { title: f.text() };
/** `ttl` seconds; undefined: for ever. */
const schemaOf = (ttl: number | undefined, version = 1): SchemaDefinition =>
  defineSchema({ notes }, { version, ttlSeconds: ttl === undefined ? {} : { notes: ttl } }).definition;
const request = { url: 'http://server/sync', partitions: [{ name: 'shared', keep: 'all' }] } as const;

/** Everybody's wall clock. */
let nowMs = 0;
/** What is tried again in a second or two is tried in a turn. */
const clock: Clock = {
  ...browserClock,
  nowMs: () => nowMs,
  after: (delayMs, run) => browserClock.after(delayMs >= 500 && delayMs <= 2_000 ? 5 : delayMs, run),
};

/** A device whose storage outlives its worker. */
class Device {
  engine!: Engine;
  door!: SyncDoor;
  report!: SyncReport;
  readonly #server: MemoryServer;
  readonly #schema: SchemaDefinition;
  readonly #log = new MemoryLogBroker();
  readonly #meta = new MemoryMetaStore();
  readonly #objects = new MemoryObjectsInParts();
  readonly rows: MemoryRowStore = new MemoryRowStore({ log: this.#log, meta: this.#meta });
  #term = 0;

  constructor(server: MemoryServer, schema: SchemaDefinition) {
    this.#server = server;
    this.#schema = schema;
  }

  async start(): Promise<void> {
    const [outbox, rng] = [new OutboxSlot(), createBrowserRng()];
    const [log, meta, objects] = [this.#log, this.#meta, this.#objects];
    this.#term += 1;
    this.engine = await openEngine({
      ports: { log, meta, objects, clock, rng, kernel: await loadKernel({}) },
      schema: this.#schema,
      outbox,
    });
    const ports = {
      clock,
      rng,
      network: this.#server,
      rows: this.rows,
      objects,
      engine: this.engine,
      outbox,
      presence: new PresenceDesk(),
      term: this.#term,
      exclusive: (run: () => Promise<void>) => run(),
      onSchema: () => expect.unreachable('no field is new'),
      onFailed: (error: Error) => expect.unreachable(error.message),
    };
    this.door = await SyncDoor.open(ports, async () => replication);
    this.door.onReport((report) => {
      this.report = report;
      if (report.token !== null) this.door.loaded?.giveToken(report.token.id, tokenOf('ann'));
    });
  }

  async stop(): Promise<void> {
    await this.door.close();
    await this.engine.close();
  }

  async connect(): Promise<void> {
    await this.door.connect(request);
    await until(() => this.report.status.state.name === 'live');
  }

  async put(id: string, partition = 'shared'): Promise<void> {
    await this.engine.write({ type: 'put', collection: 'notes', partition, entities: [{ id, title: id }] }).durable;
    await until(() => this.report.status.outbox === 0);
  }

  shown(partition = 'shared'): string {
    return this.engine.query({ collection: 'notes', partitions: [partition] }).keys.join();
  }
}

let device: Device;
let server: MemoryServer;
afterEach(() => device.stop());

/** A row that is ten minutes old and one of this moment, in the server's partition and in one of the device alone. */
async function connected(own: number | undefined, ofServer: number | undefined): Promise<void> {
  nowMs = browserClock.nowMs();
  server = await MemoryServer.start({ ...browserClock, nowMs: () => nowMs }, schemaOf(ofServer));
  device = new Device(server, schemaOf(own));
  await device.start();
  await device.connect();
  await device.put('a');
  await device.put('own', '_default');
  nowMs += 10 * MINUTE * 1000;
  await device.put('b');
}

const DAY = 24 * 60 * MINUTE;
const SHORT = 5 * MINUTE;
const LONG = 20 * MINUTE;

describe('a time to live that the server gives', () => {
  describe.each([
    ['none', undefined],
    ['a shorter one', 2 * MINUTE],
    ['a longer one', DAY],
  ])('where the schema of the app has %s', (_, own) => {
    it.each([
      ['added', undefined, SHORT, 'a,b', 'b'],
      ['removed', SHORT, undefined, 'b', 'a,b'],
      ['shorter', LONG, SHORT, 'a,b', 'b'],
      ['longer', SHORT, LONG, 'b', 'a,b'],
    ])('counts as soon as it is %s, and after a restart without a network', async (__, before, after, shownBefore, shownAfter) => {
      await connected(own, before);
      expect(device.shown()).toBe(shownBefore);
      const local = device.shown('_default');
      server.alter(schemaOf(after, 2));
      await until(() => device.shown() === shownAfter);
      expect(device.shown('_default')).toBe(local);
      const told = { collection: 'notes', ownSeconds: own ?? null, serverSeconds: after ?? null };
      const isTold = (): void => expect(device.report.status.otherTimesToLive).toEqual(own === after ? undefined : [told]);
      await until(() => device.report.status.otherTimesToLive?.[0]?.serverSeconds === (own === after ? undefined : told.serverSeconds));
      isTold();
      server.isUp = false;
      server.cut();
      await device.stop();
      await device.start();
      expect(device.shown()).toBe(shownAfter);
      expect(device.shown('_default')).toBe(local);
      isTold();
    });
  });

  it('is no news where the app says the same', async () => {
    await connected(SHORT, SHORT);
    expect(device.shown()).toBe('b');
    expect(device.report.status.otherTimesToLive).toBeUndefined();
  });

  it('does not touch what is on this device only: that goes by the app', async () => {
    await connected(LONG, SHORT);
    expect([device.shown(), device.shown('_default')]).toEqual(['b', 'own']);
    nowMs += LONG * 1000;
    expect([device.shown(), device.shown('_default')]).toEqual(['', '']);
  });

  it('is heard of when the connection is back', async () => {
    await connected(undefined, undefined);
    const { resolves } = server;
    server.isUp = false;
    server.cut();
    await until(() => device.report.status.state.name === 'offline');
    server.schema = schemaOf(SHORT, 2);
    expect(device.shown()).toBe('a,b');
    server.isUp = true;
    device.door.loaded!.wake();
    await until(() => device.shown() === 'b');
    expect(server.resolves).toBe(resolves + 1);
  });

  it('counts as well when what is stored is read again after a write was refused', async () => {
    await connected(undefined, undefined);
    server.alter(schemaOf(SHORT, 2));
    await until(() => device.shown() === 'b');
    device.rows.failNext = new DbError('STORAGE_FULL', 'full');
    await expect(device.put('c')).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await until(() => device.shown() === 'b' && device.report.status.state.name === 'live');
    const isTaken = (): Promise<boolean> =>
      device.put('d').then(
        () => true,
        () => false,
      );
    await until(isTaken);
    expect(device.shown()).toBe('b,d');
  });

  it('is asked for once where a version of the schema has none: nothing goes round', async () => {
    await connected(undefined, undefined);
    const { resolves } = server;
    server.alter(schemaOf(undefined, 2));
    await until(() => server.resolves > resolves);
    server.isUp = false;
    server.cut();
    await until(() => device.report.status.state.name === 'offline');
    server.isUp = true;
    device.door.loaded!.wake();
    await until(() => device.report.status.state.name === 'live');
    await device.put('c');
    expect(server.resolves).toBe(resolves + 1);
  });
});
