import { hashEquals, newClientId, type Stamp, stampOf, type Timestamp, ZERO_HASH } from '@terndb/core';
import type { ChannelRecord, DeviceRecord, DurableState, KeptEntry, OutboxEntry, StoreWrite } from '@terndb/sync';
import { LOST_TAIL } from '@terndb/sync/testing';
import { wasPrunedInTime } from './checkers/end.ts';
import { checkOutbox } from './checkers/outbox.ts';
import { checkMonotonic, type Shown } from './checkers/shown.ts';
import type { WriteInfo } from './ledger.ts';
import { ModelFold } from './model-fold.ts';
import type { World } from './world.ts';

const SCHEMA_CODES: ReadonlySet<string> = new Set(['FIELD_UNKNOWN', 'SCHEMA_UNKNOWN']);

export interface StoredChannel {
  record: ChannelRecord;
  fold: ModelFold;
  readonly outbox: Map<number, OutboxEntry>;
  readonly kept: Map<number, KeptEntry>;
  /** Universe that what is shown agrees with (the ledger's name of it). */
  universe: string | null;
  newest: { readonly id: number; readonly info: WriteInfo; readonly stamp: Stamp } | undefined;
}

/** What IndexedDB holds of one device: transactions, all or nothing, with the term that fences (R11). */
export class DeviceDb {
  readonly name: string;
  readonly generation: number;
  readonly #world: World;
  term = 0;
  device: DeviceRecord;
  readonly channels: Map<string, StoredChannel>;

  constructor(world: World, name: string, generation: number, channels: readonly string[], clientId?: string) {
    this.#world = world;
    this.name = name;
    this.generation = generation;
    this.device = { clientId: clientId ?? newClientId(world.random.rng), subject: '', logEpoch: null, hlc: 0 as Timestamp, nextId: 1 };
    this.channels = new Map(channels.map((channel) => [channel, this.#emptyChannel(channel)]));
  }

  #emptyChannel(channel: string): StoredChannel {
    const { clientId } = this.device;
    const record = { channel, clientId, nextSeq: 1, everSent: false, logEpoch: null };
    return {
      record,
      fold: new ModelFold(channel, this.#world.ablations),
      outbox: new Map(),
      kept: new Map(),
      universe: null,
      newest: undefined,
    };
  }

  read(): DurableState {
    const channels = [...this.channels.values()].map(({ record, fold, outbox, kept }) => ({
      ...record,
      position: fold.position,
      maxHlc: fold.maxHlc,
      outbox: [...outbox.values()],
      kept: [...kept.values()],
    }));
    for (const channel of channels) checkOutbox(this.#world.ledger, this.name, channel);
    return { device: this.device, channels };
  }

  shown(channel: string): Shown {
    const { record, fold, outbox, newest } = this.channels.get(channel)!;
    return {
      device: this.name,
      channel,
      logEpoch: record.logEpoch,
      buriedIn: record.logEpoch?.split(LOST_TAIL)[0] ?? '',
      fold,
      newest,
      isPending: newest !== undefined && outbox.has(newest.id),
    };
  }

  /** One transaction. `staged`: bootstraps held by the tab. @returns channels whose shown state changed, and those whose hash did not fit. */
  commit(
    writes: readonly StoreWrite[],
    staged: ReadonlyMap<string, ModelFold>,
  ): { readonly changed: ReadonlySet<string>; readonly diverged: readonly string[] } {
    const changed = new Set<string>();
    const diverged: string[] = [];
    const { ledger } = this.#world;
    const queued = new Set<number>();
    for (const write of writes) {
      if (write.type !== 'outbox') continue;
      this.#knowWrite(write.entry);
      queued.add(write.entry.id);
    }
    for (const write of writes) {
      switch (write.type) {
        case 'device':
          this.device = write.device;
          break;
        case 'channel':
          this.#putRecord(write.record);
          break;
        case 'outbox':
          this.#putEntry(write.entry);
          changed.add(write.entry.channel);
          break;
        case 'outbox-delete':
          this.channels.get(write.channel)!.outbox.delete(write.id);
          changed.add(write.channel);
          break;
        case 'kept':
          this.#keep(write.entry);
          break;
        case 'kept-delete':
          this.#dropKept(write.channel, write.id, queued.has(write.id));
          break;
        case 'rejected': {
          const info = this.#world.ledger.infoOf(write.entry.op);
          if (info !== undefined) this.#reject(info, write.entry.code);
          this.#world.ledger.count('rejected writes');
          break;
        }
        case 'frame': {
          const stored = this.channels.get(write.channel)!;
          const { fold } = stored;
          const { frame } = write;
          const fits = frame.base !== fold.position + 1 || (frame.hashBefore.lo === fold.hash.lo && frame.hashBefore.hi === fold.hash.hi);
          const before = fold.position;
          fold.apply(frame);
          if (this.#world.ablations['expired-by-own-clock']) fold.expire(this.#world.expiryCutoff(this.#world.wallMs()));
          const agrees = fits && frame.base === before + 1 && ledger.channel(write.channel).frames.has(frame);
          if (fold.position > before) stored.universe = agrees ? ledger.universe : null;
          if (!fits) diverged.push(write.channel);
          changed.add(write.channel);
          break;
        }
        case 'swap':
          this.#swap(write.channel, staged.get(`${write.channel} ${write.fetch}`)!);
          changed.add(write.channel);
          break;
      }
    }
    return { changed, diverged };
  }

  #putRecord(record: ChannelRecord): void {
    this.channels.get(record.channel)!.record = record;
    // R14: what is shown is of another universe from here on, although the log epoch has kept its name.
    if (record.logEpoch?.endsWith(LOST_TAIL)) this.#shownEpoch.set(record.channel, record.logEpoch);
  }

  /** An op that was queued again may be another object. */
  #knowWrite({ channel, id, op }: OutboxEntry): void {
    const { ledger } = this.#world;
    const stored = this.channels.get(channel)!;
    const before = stored.outbox.get(id) ?? stored.kept.get(id);
    if (before !== undefined && ledger.infoOf(op) === undefined) ledger.sameWrite(op, before.op);
  }

  #putEntry(entry: OutboxEntry): void {
    const channel = this.channels.get(entry.channel)!;
    channel.outbox.set(entry.id, entry);
    const info = this.#world.ledger.infoOf(entry.op);
    if (info === undefined) return;
    info.isStored = true;
    if (channel.newest === undefined || channel.newest.info.uid <= info.uid) {
      channel.newest = { id: entry.id, info, stamp: stampOf(entry) };
    }
  }

  /**
   * What was said to be in the log must be. After a restore a kept op may go up once more (its id's LMID may have expired), and then it may be
   * refused, because its entity is dead by now.
   */
  #reject(info: WriteInfo, code: string): void {
    info.rejected = code;
    // An app keeps what it wrote until the servers agree with its schema (design 4).
    if (SCHEMA_CODES.has(code)) this.#world.ledger.fail('refused-for-schema', `write ${info.uid} of ${info.device}: ${code}`);
    const { accepted, expired } = this.#world.ledger.channel(info.channel);
    const earlier = accepted.get(info);
    // The id expired before this device had applied what it wrote under it: then too it goes up once more.
    if (earlier !== undefined && expired.has(earlier.clientId)) return;
    // Taken away again by a log that lost its end.
    if (earlier === undefined && info.wasRestored) return;
    if (info.ackedEpoch === this.#world.ledger.logEpoch)
      this.#world.ledger.fail('acked-then-rejected', `write ${info.uid} of ${info.device}: ${code}`);
  }

  #keep(entry: KeptEntry): void {
    this.channels.get(entry.channel)!.kept.set(entry.id, entry);
  }

  /** Pruned, unless the same transaction has queued it again. */
  #dropKept(name: string, id: number, isQueued: boolean): void {
    const channel = this.channels.get(name)!;
    const entry = channel.kept.get(id);
    channel.kept.delete(id);
    const info = entry === undefined || isQueued ? undefined : this.#world.ledger.infoOf(entry.op);
    if (info !== undefined && wasPrunedInTime(info, this.#world.wallMs())) info.wasPruned = true;
  }

  #swap(name: string, fold: ModelFold): void {
    const channel = this.channels.get(name)!;
    const { ledger } = this.#world;
    const before = this.shown(name);
    channel.fold = fold;
    // Downloaded and put together before its log lost its end: of no universe that has a name.
    const { hashAt } = ledger.channel(name);
    const agrees = fold.position === 0 || hashEquals(hashAt.get(fold.position) ?? ZERO_HASH, fold.hash);
    channel.universe = agrees ? ledger.universe : null;
    checkMonotonic(ledger, { ...before, logEpoch: this.#shownEpoch.get(name) ?? null }, this.shown(name));
    this.#shownEpoch.set(name, channel.record.logEpoch);
    ledger.count('bootstraps');
  }

  /** Universe of what is shown. */
  readonly #shownEpoch = new Map<string, string | null>();
}
