import type { Frame, LogRecord, MemoryObjectStore, Op, OpRecord, Timestamp } from '@terndb/core';
import { readManifestPointer } from '../../catalog/manifest-pointer.ts';
import type { Channel } from '../../database/channel.ts';
import type { Manifest } from '../../manifest/types.ts';
import { defaultsOf, loadManifest } from '../../replica/open-replica.ts';
import { SegmentPool } from '../../replica/segment-pool.ts';
import { sealChannel } from '../../seal/seal-channel.ts';
import { type MemoryPorts, memoryPorts } from '../../testing/memory-ports.ts';
import { NaiveFold } from '../../testing/naive-fold.ts';
import { TEST_EPOCH, testChannel, testDefinition } from '../../testing/test-channel.ts';

/** A server's one channel: its log as it is, a replica that is sealed, and the naive fold of any prefix. It lets everything in. */
export class TestServer {
  readonly log: LogRecord[] = [];
  readonly #ports: MemoryPorts;
  readonly #pool: SegmentPool;
  readonly #channel: Channel;
  readonly #lmids = new Map<string, number>();

  private constructor(ports: MemoryPorts, channel: Channel) {
    this.#ports = ports;
    this.#pool = new SegmentPool(ports.objects, ports.kernel);
    this.#channel = channel;
  }

  static async open(): Promise<TestServer> {
    return new TestServer(await memoryPorts(), await testChannel());
  }

  get position(): number {
    return this.log.length;
  }

  /** Newest stamp of the log. */
  get maxHlc(): Timestamp {
    return this.#channel.replica.maxHlc;
  }

  lmidOf(clientId: string): number {
    return this.#lmids.get(clientId) ?? 0;
  }

  appendOp(op: Op, hlc: Timestamp, clientId: string): void {
    const seq = this.lmidOf(clientId) + 1;
    this.#lmids.set(clientId, seq);
    const record: OpRecord = { type: 'op', op, hlc, clientId, seq, author: '', schemaVersion: 1 };
    this.append(record);
  }

  append(record: LogRecord): void {
    this.#channel.replica.applyFrame(this.#frame(this.position, [record]));
    this.log.push(record);
  }

  /** What the log says at a position, and then `more`. */
  naive(position: number, more: readonly LogRecord[] = []): NaiveFold {
    const fold = new NaiveFold(defaultsOf(testDefinition));
    for (const record of [...this.log.slice(0, position), ...more]) fold.apply(record);
    return fold;
  }

  /** The records after a position, cut into frames of at most so many; as a restored log has them, under the epochs they were appended in. */
  framesFrom(position: number, count: number, size: number): Frame[] {
    const frames: Frame[] = [];
    const end = Math.min(this.position, position + count);
    for (let at = position; at < end; at += size) frames.push(this.#frame(at, this.log.slice(at, Math.min(end, at + size))));
    return frames;
  }

  /** Seals all there is, and copies the objects to the device. */
  async manifest(to: MemoryObjectStore): Promise<{ manifest: Manifest; manifestObject: string } | 'empty'> {
    const { objects, meta, clock } = this.#ports;
    const context = {
      ports: { objects, meta },
      clock,
      pool: this.#pool,
      logEpoch: TEST_EPOCH,
      flush: async () => {},
      cursorAt: () => 0,
      isShown: () => true,
    };
    await sealChannel(context, this.#channel, { forCompaction: false });
    const pointer = await readManifestPointer(meta, this.#channel.name);
    if (pointer === undefined) return 'empty';
    for (const { name, bytes } of await objects.list('')) await to.put(name, [(await objects.read(name, 0, bytes))!]);
    return { manifest: await loadManifest(objects, pointer.object), manifestObject: pointer.object };
  }

  close(): void {
    this.#channel.replica.retire();
  }

  #frame(at: number, records: readonly LogRecord[]): Frame {
    const hashBefore = this.naive(at).hash();
    return { logEpoch: TEST_EPOCH, leaderEpoch: 1, channel: this.#channel.name, base: at + 1, hashBefore, records };
  }
}
