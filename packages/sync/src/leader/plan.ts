import {
  compareStamps,
  encodedOpBytes,
  type Frame,
  isTooFarAhead,
  type LogRecord,
  MAX_OP_BYTES,
  type Op,
  type OpRecord,
  type Origin,
  opBytesBound,
  originOf,
  type PrimaryKey,
  type SingleOp,
  type Stamp,
  stampOf,
  TICKS_PER_MS,
  type Timestamp,
  type YjsOp,
} from '@terndb/core';
import type { Ablations } from '../ablations.ts';
import { RESOLVED_ID_PREFIX } from '../limits.ts';
import type { Rejection } from '../protocol.ts';
import { type ChannelFold, type LeaderEvent, type LeaderOptions, type Principal, serverClientId } from './types.ts';

/** What happens to the ops of one push, before anything is appended. */
export type PushOutcome =
  | { readonly type: 'ack'; readonly seq: number; readonly position: number; readonly rejected: readonly Rejection[] }
  | { readonly type: 'restamp'; readonly seq: number; readonly hlc: Timestamp }
  | { readonly type: 'gap'; readonly expected: number }
  | { readonly type: 'unknown-client' }
  /** Not yet. */
  | { readonly type: 'busy' }
  | { readonly type: 'subject' };

interface Registers {
  put: Stamp | undefined;
  delete: Stamp | undefined;
  base: Origin | undefined;
}

/**
 * The next frame of one channel while it is put together: the fold's state with the planned records on top. Nothing is changed until the frame
 * is in the log, so a failed append leaves nothing to undo.
 */
export class ChannelPlan {
  readonly records: LogRecord[] = [];
  readonly #fold: ChannelFold;
  readonly #options: LeaderOptions;
  readonly #ablations: Ablations;
  readonly #nowMs: number;
  readonly #entities = new Map<string, Registers>();
  readonly #lmids = new Map<string, { seq: number; position: number; author: string; readonly rejected: Rejection[] }>();
  #maxHlc: Timestamp;

  constructor(options: LeaderOptions, channel: string, nowMs: number) {
    this.#options = options;
    this.#ablations = options.ablations ?? {};
    this.#fold = options.folds.get(channel);
    this.#nowMs = nowMs;
    this.#maxHlc = this.#fold.maxHlc;
    this.channel = channel;
  }

  readonly channel: string;

  get position(): number {
    return this.#fold.position + this.records.length;
  }

  frame(): Frame {
    const { logEpoch, leaderEpoch } = this.#options;
    const { position, hash } = this.#fold;
    return { logEpoch, leaderEpoch, channel: this.channel, base: position + 1, hashBefore: hash, records: this.records };
  }

  /**
   * Takes the ops of a push in their order up to the first that cannot be taken now. Nothing is answered before the append (R17).
   * `knownSeq`: LMID that the subscription was told. An ack speaks of everything above it, so it names every refusal above it: the ack that
   * named one first may be lost.
   */
  push(principal: Principal, ops: readonly OpRecord[], knownSeq: number): PushOutcome {
    const outcome = this.#push(principal, ops);
    if (outcome.type !== 'ack') return outcome;
    const here = new Set(outcome.rejected.map(({ seq }) => seq));
    const earlier = this.#lmid(principal.clientId).rejected.filter(({ seq }) => seq > knownSeq && seq <= outcome.seq && !here.has(seq));
    return { ...outcome, rejected: [...earlier, ...outcome.rejected] };
  }

  #push(principal: Principal, ops: readonly OpRecord[]): PushOutcome {
    const { clientId, subject } = principal;
    const lmid = this.#lmid(clientId);
    if (lmid.author !== '' && lmid.author !== subject) return { type: 'subject' };
    const rejected: Rejection[] = [];
    let outcome: PushOutcome = { type: 'gap', expected: lmid.seq + 1 };
    for (const record of ops) {
      const state = this.#lmid(clientId);
      if (record.seq <= state.seq) {
        // R2: a repetition. What was refused is said again.
        for (const entry of state.rejected) if (entry.seq === record.seq) rejected.push(entry);
        outcome = { type: 'ack', seq: state.seq, position: state.position, rejected };
        continue;
      }
      if (record.seq > state.seq + 1 && !this.#ablations['no-gap-check']) {
        if (outcome.type === 'ack') return outcome;
        return state.seq === 0 && !this.#ablations['keep-expired-id']
          ? { type: 'unknown-client' }
          : { type: 'gap', expected: state.seq + 1 };
      }
      // Written under another subject: it must not get this one's name. Empty: written before there was any.
      if (record.author !== '' && record.author !== subject) return outcome.type === 'ack' ? outcome : { type: 'subject' };
      if (record.schemaVersion > (this.#options.schemaVersionOf?.(this.channel) ?? record.schemaVersion)) {
        if (this.#ablations['newer-schema-refused']) {
          rejected.push({ seq: record.seq, code: 'SCHEMA_UNKNOWN' });
          this.#reject(principal, record.seq, 'SCHEMA_UNKNOWN');
          outcome = { type: 'ack', seq: record.seq, position: this.position, rejected };
          continue;
        }
        // The catalog says so elsewhere already; refusing it for good would be wrong a moment later.
        return outcome.type === 'ack' ? outcome : { type: 'busy' };
      }
      const bounce = this.#bounce(record);
      if (bounce === 'restamp' && this.#ablations['restamp-at-leader']) {
        this.#append(principal, { ...record, author: subject, hlc: (this.#leaderHlc() + 1) as Timestamp });
      } else if (bounce === 'restamp') {
        return { type: 'restamp', seq: record.seq, hlc: this.#leaderHlc() };
      } else if (bounce !== undefined) {
        rejected.push({ seq: record.seq, code: bounce });
        this.#reject(principal, record.seq, bounce);
      } else {
        this.#append(principal, { ...record, author: subject });
      }
      outcome = { type: 'ack', seq: record.seq, position: this.position, rejected };
    }
    return outcome;
  }

  /** The server's own write: one record, under the server's id. A code when it is refused; then nothing is in the plan. */
  write(write: Extract<LeaderEvent, { type: 'write' }>): { readonly position: number; readonly hlc: Timestamp } | string {
    const { ops, author, schemaVersion } = write;
    const op: Op = ops.length === 1 ? ops[0]! : { type: 'batch', ops };
    const clientId = serverClientId(this.#options.logEpoch);
    const hlc = write.hlc ?? ((this.#leaderHlc() + 1) as Timestamp);
    const seq = this.#lmid(clientId).seq + 1;
    const origin = write.hlc === undefined ? {} : { origin: { clientId: `${RESOLVED_ID_PREFIX}${clientId}`, seq } };
    const record: OpRecord = { type: 'op', op, hlc, clientId, seq, author, schemaVersion, ...origin };
    const refused = this.#refusal(record);
    if (refused !== undefined) return refused === 'restamp' ? 'STALE_WRITE' : refused;
    this.#append({ clientId, subject: author }, record);
    return { position: this.position, hlc };
  }

  #lmid(clientId: string): { seq: number; position: number; author: string; rejected: readonly Rejection[] } {
    return this.#lmids.get(clientId) ?? this.#fold.lmid(clientId) ?? { seq: 0, position: 0, author: '', rejected: [] };
  }

  #noteLmid(principal: Pick<Principal, 'clientId' | 'subject'>, seq: number, rejection?: Rejection): void {
    const { rejected } = this.#lmid(principal.clientId);
    const list = rejection === undefined || this.#ablations['rejects-not-listed'] ? [...rejected] : [...rejected, rejection];
    this.#lmids.set(principal.clientId, { seq, position: this.position, author: principal.subject, rejected: list });
  }

  #append(principal: Pick<Principal, 'clientId' | 'subject'>, record: OpRecord): void {
    this.records.push(record);
    this.#noteLmid(principal, record.seq);
    if (record.hlc > this.#maxHlc) this.#maxHlc = record.hlc;
    const stamp = stampOf(record);
    for (const op of singles(record.op)) {
      const registers = this.#registers(op.pk);
      // As the fold has it: of two puts of one stamp the later one counts, and with it the document that it begins.
      if (op.type === 'put' && compareStamps(stamp, registers.put) >= 0) {
        registers.put = stamp;
        registers.base = originOf(record);
      }
      if (op.type === 'delete' && compareStamps(stamp, registers.delete) > 0) registers.delete = stamp;
    }
  }

  /** R3: refused for good, and said so in the log. */
  #reject(principal: Principal, seq: number, code: string): void {
    if (this.#ablations['reject-without-record']) return;
    this.records.push({ type: 'reject', clientId: principal.clientId, seq, code, author: principal.subject });
    this.#noteLmid(principal, seq, { seq, code });
  }

  #registers(pk: PrimaryKey): Registers {
    const key = `${typeof pk === 'string' ? 's' : 'i'}${pk}`;
    let registers = this.#entities.get(key);
    if (registers === undefined) {
      const known = this.#fold.entity(pk);
      registers = { put: known?.put, delete: known?.delete, base: known?.base };
      this.#entities.set(key, registers);
    }
    return registers;
  }

  /** R9: above everything accepted so far. */
  #leaderHlc(): Timestamp {
    const wall = Math.floor(this.#nowMs) * TICKS_PER_MS;
    return (this.#ablations['restamp-wall-clock'] ? wall : Math.max(wall, this.#maxHlc)) as Timestamp;
  }

  /** `restamp`, a code to refuse it with, or nothing. */
  #bounce(record: OpRecord): string | undefined {
    if (isTooFarAhead(record.hlc, this.#nowMs) && !this.#ablations['no-clamp']) return 'restamp';
    return this.#refusal(record);
  }

  /** A collab field starts anew with each put: an update of the one before has nothing to be merged into. */
  #isBase({ base }: YjsOp, current: Origin | undefined): boolean {
    if (current === undefined || this.#ablations['any-yjs-base']) return true;
    return base.clientId === current.clientId && base.seq === current.seq;
  }

  #refusal(record: OpRecord): string | undefined {
    // Encoding every op only to measure it would cost more than all the rest.
    if (opBytesBound(record.op) > MAX_OP_BYTES && encodedOpBytes(record.op) > MAX_OP_BYTES) return 'ENTITY_TOO_LARGE';
    const invalid = this.#options.validate?.(this.channel, record.op);
    if (invalid !== undefined) return invalid;
    const planned = new Map<PrimaryKey, boolean>();
    for (const op of singles(record.op)) {
      const registers = this.#registers(op.pk);
      const isAbsent = registers.put === undefined && registers.delete === undefined && !planned.has(op.pk);
      if (isAbsent && record.hlc < this.#fold.floor && !this.#ablations['no-floor']) {
        // R8: nobody remembers what was deleted before the floor.
        return op.type === 'put' && op.create ? 'restamp' : 'STALE_WRITE';
      }
      const isLive = planned.get(op.pk) ?? compareStamps(registers.put, registers.delete) > 0;
      if (op.type === 'put') planned.set(op.pk, true);
      else if (op.type === 'delete') planned.set(op.pk, false);
      else if (!isLive || (op.type === 'yjs' && !this.#isBase(op, planned.get(op.pk) === true ? originOf(record) : registers.base))) {
        return 'NOT_FOUND';
      }
    }
    return undefined;
  }
}

function singles(op: Op): readonly SingleOp[] {
  return op.type === 'batch' ? op.ops : [op];
}
