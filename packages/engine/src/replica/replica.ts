import {
  type CollectionDefinition,
  DbError,
  type Frame,
  type Hash64,
  hashEquals,
  hashToHex,
  type LogRecord,
  type OpRecord,
  originOf,
  type PrimaryKey,
  type SingleOp,
  type Stamp,
  stampOf,
  type Timestamp,
} from '@terndb/core';
import { expiryCutoff } from '../expiry/cutoff.ts';
import type { LmidEntry } from '../manifest/types.ts';
import type { Entities } from './entities.ts';
import { ReplicaView } from './replica-view.ts';
import { UnseenRows } from './unseen-rows.ts';

/** What a channel's state is besides its entities. */
export interface ReplicaState {
  readonly channel: string;
  /** Null: led by somebody else, whose frames' epochs are not compared: a restored log keeps those of the epochs before. */
  readonly logEpoch: string | null;
  readonly entities: Entities;
  /** Applied position; 0 before the first record. */
  readonly position: number;
  readonly maxHlc: Timestamp;
  readonly floor: Timestamp;
  readonly lmids: Map<string, LmidEntry>;
  /** Segments that could not be opened, and the rows missing with them. */
  readonly quarantined: readonly string[];
  /** Segments that are not here on purpose. */
  readonly leftOut?: readonly string[];
  readonly missingRows: number;
  readonly divergences?: number;
}

export interface Applied {
  /** Records that were new; 0 for a frame seen before. */
  readonly records: number;
  /** Keys whose entity changed, in the order of the records; a key may come twice. */
  readonly keys: readonly PrimaryKey[];
}

/** The record that an op came in. */
interface OpSource {
  readonly stamp: Stamp;
  readonly position: number;
  readonly seq: number;
}

/**
 * One channel, folded: the log's records go in in order, views come out. A frame becomes visible atomically (R5): everything here is
 * synchronous, and a view taken before keeps showing what it showed.
 */
export class Replica {
  readonly channel: string;
  readonly logEpoch: string | null;
  readonly entities: Entities;
  readonly quarantined: readonly string[];
  readonly leftOut: readonly string[];
  readonly missingRows: number;
  readonly lmids: Map<string, LmidEntry>;
  /** R13: frames whose `hashBefore` was not this replica's hash, or a manifest whose sum was not its rows'. Above 0 calls for a re-bootstrap. */
  divergences: number;
  readonly #unseen: UnseenRows | undefined;
  #position: number;
  #maxHlc: Timestamp;
  #floor: Timestamp;
  #view: ReplicaView | undefined;

  constructor(state: ReplicaState) {
    this.channel = state.channel;
    this.logEpoch = state.logEpoch;
    this.entities = state.entities;
    this.quarantined = state.quarantined;
    this.leftOut = state.leftOut ?? [];
    this.#unseen = this.leftOut.length === 0 ? undefined : new UnseenRows(state.maxHlc);
    this.missingRows = state.missingRows;
    this.lmids = state.lmids;
    this.divergences = state.divergences ?? 0;
    this.#position = state.position;
    this.#maxHlc = state.maxHlc;
    this.#floor = state.floor;
  }

  get definition(): CollectionDefinition {
    return this.entities.definition;
  }

  /** A key that is not here may be one of the rows that are missing. */
  get isPartial(): boolean {
    return this.#unseen !== undefined;
  }

  get position(): number {
    return this.#position;
  }

  get hash(): Hash64 {
    return this.entities.hash;
  }

  get maxHlc(): Timestamp {
    return this.#maxHlc;
  }

  get floor(): Timestamp {
    return this.#floor;
  }

  /**
   * The view of this moment, to be released by the caller. Cheap when nothing changed since the last one. Rows whose time to live is over at `nowMs`,
   * the reader's wall clock, are not shown; left out: all that the log has.
   */
  view(nowMs?: number): ReplicaView {
    const cutoff = nowMs === undefined ? (0 as Timestamp) : expiryCutoff(this.definition, nowMs);
    if (this.#view?.isAt(cutoff) === false) this.#dropView();
    this.#view ??= new ReplicaView({
      channel: this.channel,
      definition: this.definition,
      position: this.#position,
      blocks: this.entities.blocks.slice(),
      quarantined: this.quarantined,
      missingRows: this.missingRows,
      cutoff,
    }).acquire();
    return this.#view.acquire();
  }

  /**
   * Applies the records that are new. A frame that lies wholly or partly below the position is a repetition (or the tail of a manifest);
   * what was applied is skipped. `onRecord` is called with each new record once it is folded.
   * @throws APPEND_CONFLICT when a record is missing before it, or the frame is of another channel or universe (R12).
   */
  applyFrame(frame: Frame, onRecord?: (record: LogRecord) => void): Applied {
    this.#check(frame);
    const skipped = this.#position + 1 - frame.base;
    if (skipped >= frame.records.length) return { records: 0, keys: [] };
    // A missing segment's rows cannot be taken out of the sum, so there the comparison would only cry wolf.
    if (skipped === 0 && this.quarantined.length === 0 && !this.isPartial && !hashEquals(frame.hashBefore, this.hash))
      this.divergences += 1;
    const keys: PrimaryKey[] = [];
    for (const record of frame.records.slice(skipped)) {
      this.#apply(record, keys);
      onRecord?.(record);
    }
    this.changed();
    return { records: frame.records.length - skipped, keys };
  }

  /** The next view is a new one: rows changed, or how they are kept. */
  changed(): void {
    this.#dropView();
    this.entities.growing.letGo();
  }

  /** Gives everything up; views that are still read keep their blocks. */
  retire(): void {
    this.changed();
    this.entities.retire();
  }

  #dropView(): void {
    const view = this.#view;
    this.#view = undefined;
    view?.release();
  }

  #check(frame: Frame): void {
    const { channel, base, logEpoch } = frame;
    const expected = this.#position + 1;
    if (channel === this.channel && (this.logEpoch === null || logEpoch === this.logEpoch) && base <= expected) return;
    throw new DbError(
      'APPEND_CONFLICT',
      `channel ${this.channel}: frame of ${this.logEpoch} at ${expected} expected, got ${channel} of ${logEpoch} at ${base}`,
      {
        details: {
          channel: this.channel,
          expected,
          got: base,
          expectedEpoch: this.logEpoch,
          gotEpoch: logEpoch,
          gotChannel: channel,
          hash: hashToHex(this.hash),
        },
      },
    );
  }

  #apply(record: LogRecord, keys: PrimaryKey[]): void {
    const position = this.#position + 1;
    switch (record.type) {
      case 'op':
        this.#applyOp(record, position, keys);
        break;
      case 'gc':
        this.#floor = Math.max(this.#floor, record.floor) as Timestamp;
        this.entities.forget(record.floor);
        if (record.expiredBefore !== undefined) this.entities.expire(record.expiredBefore, keys);
        break;
      case 'reject': {
        const entry = this.lmids.get(record.clientId);
        const rejected = [...(entry?.rejected ?? []), { seq: record.seq, code: record.code }];
        this.lmids.set(record.clientId, {
          clientId: record.clientId,
          lmid: record.seq,
          position,
          // It is as old as what the channel has seen: not idle since ever (R15).
          lastHlc: entry?.lastHlc ?? this.#maxHlc,
          author: record.author === '' ? (entry?.author ?? '') : record.author,
          rejected,
        });
        break;
      }
      case 'expire':
        this.lmids.delete(record.clientId);
        break;
    }
    this.#position = position;
  }

  #applyOp(record: OpRecord, position: number, keys: PrimaryKey[]): void {
    const stamp = stampOf(record);
    // As `base` of collab updates names it: an op that was queued again keeps it.
    const from = { stamp, position, seq: originOf(record).seq };
    if (record.op.type === 'batch') for (const op of record.op.ops) this.#applySingle(op, from, keys);
    else this.#applySingle(record.op, from, keys);
    if (record.hlc > this.#maxHlc) this.#maxHlc = record.hlc;
    const rejected = this.lmids.get(record.clientId)?.rejected ?? [];
    const { clientId, seq, author, hlc } = record;
    this.lmids.set(clientId, { clientId, lmid: seq, position, lastHlc: hlc, author, rejected });
  }

  #applySingle(op: SingleOp, from: OpSource, keys: PrimaryKey[]): void {
    if (this.#isSettled(op, from.stamp.hlc) && this.#changes(op, from)) keys.push(op.pk);
  }

  /** What the op does can be told from what is here. */
  #isSettled(op: SingleOp, hlc: Timestamp): boolean {
    if (this.#unseen === undefined) return true;
    const { entities } = this;
    return entities.find(op.pk) !== undefined || entities.tombstones.get(op.pk) !== undefined || this.#unseen.admits(op, hlc);
  }

  #changes(op: SingleOp, { stamp, position, seq }: OpSource): boolean {
    switch (op.type) {
      case 'put':
        return this.entities.put(op.pk, op.fields, stamp, position, seq);
      case 'patch':
        return this.entities.patch(op.pk, op.fields, stamp, position);
      case 'delete':
        return this.entities.delete(op.pk, stamp);
      case 'vector':
        return this.entities.vector(op, stamp, position);
      case 'yjs':
        return this.entities.yjs(op, stamp, position);
    }
  }
}
