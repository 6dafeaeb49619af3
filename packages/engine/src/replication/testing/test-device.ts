import { DbError, encodeFrame, type LogRecord, type Op, type PrimaryKey, type Timestamp } from '@terndb/core';
import { openEngine } from '../../database/open-engine.ts';
import type { Engine, PartitionView } from '../../database/types.ts';
import { opsOf } from '../../overlay/entry-ops.ts';
import { type MemoryPorts, memoryPorts } from '../../testing/memory-ports.ts';
import { TEST_CHANNEL, testSchema } from '../../testing/test-channel.ts';
import { encodeFollowedPointer, followedPointerKey, followedStream } from '../stored.ts';
import type { OutboxPort, OverlayEntry, ReplicaChange } from '../types.ts';
import type { TestServer } from './test-server.ts';

export const PARTITION = 'team';
export const DEVICE = 'me';
const UNIVERSE = 'universe-of-the-server';

/** An engine that follows one channel, and what a sync host does beside it: the outbox in memory, frames and pointer in the ports. */
export class TestDevice {
  readonly ports: MemoryPorts;
  /** May be replaced by another history: a restored server. */
  server: TestServer;
  /** In order of their ids. */
  outbox: OverlayEntry[] = [];
  /** Refuses to store what is written meanwhile. */
  isFull = false;
  engine!: Engine;
  /** Even ids; the odd ones are for entries that come back between others. */
  #nextId = 2;
  #nextFetch = 1;
  #logEpoch: string | null = null;
  #clock = 0;

  private constructor(ports: MemoryPorts, server: TestServer) {
    this.ports = ports;
    this.server = server;
  }

  static async open(server: TestServer): Promise<TestDevice> {
    const device = new TestDevice(await memoryPorts(), server);
    await device.reopen();
    return device;
  }

  async reopen(): Promise<void> {
    await this.engine?.close();
    this.engine = await openEngine({ ports: this.ports, schema: testSchema, outbox: this.port });
    const place = { channel: TEST_CHANNEL, collection: 'things', partition: PARTITION };
    await this.engine.replication.open([{ ...place, logEpoch: this.#logEpoch, overlay: this.outbox }]);
  }

  get position(): number {
    return this.engine.replication.state(TEST_CHANNEL)!.position;
  }

  get pendingKeys(): Set<PrimaryKey> {
    return new Set(this.outbox.flatMap(({ op }) => opsOf(op).map(({ pk }) => pk)));
  }

  /** What the log would say if the outbox were appended now. */
  expectedRecords(): LogRecord[] {
    return this.outbox.map(({ op, hlc, clientId }) => ({ type: 'op', op, hlc, clientId, seq: 1, author: '', schemaVersion: 1 }));
  }

  view(): PartitionView['view'] {
    return this.engine.views('things', [PARTITION])[0]!.view;
  }

  readonly port: OutboxPort = {
    add: (_channel: string, op: Op, options) => {
      const entry = { id: this.#takeId(), op, hlc: options?.hlc ?? this.#stamp(), clientId: DEVICE };
      if (this.isFull) {
        const full = new DbError('STORAGE_FULL', 'outbox: full', {});
        return { entry, durable: Promise.resolve().then(() => Promise.reject(full)) };
      }
      this.outbox.push(entry);
      return { entry, durable: Promise.resolve() };
    },
  };

  /** An entry comes back at a place between others (R16), or changes its op and stamp: whatever the host says. */
  insert(index: number, entry: Pick<OverlayEntry, 'op' | 'hlc'>): void {
    const next = this.outbox[index]?.id ?? this.#takeId();
    const made = { id: next % 2 === 0 ? next - 1 : next, clientId: DEVICE, ...entry };
    this.outbox = [...this.outbox.filter(({ id }) => id !== made.id), made].sort((a, b) => a.id - b.id);
    this.engine.replication.apply([{ type: 'entry', channel: TEST_CHANNEL, entry: made }]);
  }

  /** The server takes the first so many of the outbox that it does not have. */
  push(count: number): void {
    for (const { op, hlc, clientId } of this.#unsent().slice(0, count)) this.server.appendOp(op, hlc, clientId);
  }

  /** R9, of one entry that is not in the log and all after it. */
  restamp(index: number, above: number): ReplicaChange[] {
    const unsent = this.#unsent();
    const from = unsent[index];
    if (from === undefined) return [];
    const changes: ReplicaChange[] = [];
    this.#clock = Math.max(this.#clock, above);
    this.outbox = this.outbox.map((entry) => {
      if (entry.id < from.id) return entry;
      const again = { ...entry, hlc: this.#stamp() };
      changes.push({ type: 'entry', channel: TEST_CHANNEL, entry: again });
      return again;
    });
    this.engine.replication.apply(changes);
    return changes;
  }

  /** Takes so many records in frames of `size`, one batch: durable, then applied. @returns channels that diverged. */
  async deliver(count: number, size: number): Promise<readonly string[]> {
    const frames = this.server.framesFrom(this.position, count, size);
    if (frames.length === 0) return [];
    const stream = followedStream(TEST_CHANNEL);
    const { last } = await this.ports.log.bounds(stream);
    await this.ports.log.append(
      stream,
      last,
      frames.map((frame) => ({ channel: TEST_CHANNEL, bytes: encodeFrame(frame) })),
    );
    const changes = frames.map((frame): ReplicaChange => ({ type: 'frame', channel: TEST_CHANNEL, frame }));
    const reached = frames.at(-1)!.base + frames.at(-1)!.records.length - 1;
    return this.engine.replication.apply([...this.#covered(reached), ...changes]).diverged;
  }

  /** Bootstraps: from the server's manifest, or from nothing and its whole log. */
  async swap(from: 'manifest' | 'empty', size: number): Promise<void> {
    const { replication } = this.engine;
    const fetch = this.#nextFetch++;
    const source = from === 'empty' ? 'empty' : await this.server.manifest(this.ports.objects);
    const staged = await replication.stage(TEST_CHANNEL, fetch, source);
    const frames = this.server.framesFrom(staged.position, this.server.position, size);
    for (const frame of frames) replication.stageFrame(fetch, frame);
    const stream = followedStream(TEST_CHANNEL);
    const { last } = await this.ports.log.bounds(stream);
    const pointer = { object: source === 'empty' ? null : source.manifestObject, firstSequence: last + 1 };
    const key = followedPointerKey(TEST_CHANNEL);
    const revision = (await this.ports.meta.get(key))?.revision ?? 0;
    await this.ports.meta.compareAndSet(key, revision, encodeFollowedPointer(pointer));
    if (frames.length > 0)
      await this.ports.log.append(
        stream,
        last,
        frames.map((frame) => ({ channel: TEST_CHANNEL, bytes: encodeFrame(frame) })),
      );
    this.#logEpoch = UNIVERSE;
    const swap: ReplicaChange = { type: 'swap', channel: TEST_CHANNEL, fetch, logEpoch: UNIVERSE };
    replication.apply([swap, ...this.#covered(this.server.position)]);
  }

  #covered(position: number): ReplicaChange[] {
    const seen = this.server.log
      .slice(0, position)
      .flatMap((record) => (record.type === 'op' && record.clientId === DEVICE ? [record] : []));
    const gone = this.outbox.filter(({ op }) => seen.some((record) => record.op === op));
    this.outbox = this.outbox.filter((entry) => !gone.includes(entry));
    return gone.map(({ id }) => ({ type: 'entry-gone', channel: TEST_CHANNEL, id }));
  }

  #takeId(): number {
    this.#nextId += 2;
    return this.#nextId;
  }

  #unsent(): OverlayEntry[] {
    return this.outbox.filter(({ op }) => !this.server.log.some((record) => record.type === 'op' && record.op === op));
  }

  #stamp(): Timestamp {
    const { maxHlc } = this.engine.replication.state(TEST_CHANNEL)!;
    this.#clock = Math.max(this.#clock, maxHlc) + 1;
    return this.#clock as Timestamp;
  }
}
