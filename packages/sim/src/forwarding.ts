import type { Op, SingleOp } from '@terndb/core';
import type { Ledger, WriteInfo } from './ledger.ts';
import { singlesOf } from './model-fold.ts';

/** A message from tab to tab: in order, and lost only with the tab that should have it. */
export const TAB_HOP_MS = 2;
/** Answered calls that are remembered to check their order. */
const REMEMBERED_CALLS = 32;

/** A write of a page whose tab does not lead. */
export interface ForwardedCall {
  readonly id: number;
  readonly channel: string;
  readonly op: Op;
  readonly sawPosition: number;
  readonly sawEpoch: string | null;
  /** What each leader that took it made of it: for the log they are different writes. */
  readonly attempts: WriteInfo[];
}

/**
 * The page's side of a tab that follows, as `TabRouter` of the client has it: calls go to the leader in their order, and those without an answer
 * go to the next one.
 */
export class Forwarder {
  readonly #ledger: Ledger;
  readonly #name: string;
  readonly #pending = new Map<number, ForwardedCall>();
  /** In the order of the answers. */
  #answered: { readonly id: number; readonly uid: number }[] = [];
  #nextId = 1;
  #term = 0;
  #send: ((call: ForwardedCall, term: number) => void) | undefined;

  constructor(ledger: Ledger, name: string) {
    this.#ledger = ledger;
    this.#name = name;
  }

  get unanswered(): number {
    return this.#pending.size;
  }

  call(what: Omit<ForwardedCall, 'id' | 'attempts'>): void {
    const call = { ...what, id: this.#nextId++, attempts: [] };
    this.#pending.set(call.id, call);
    this.#ledger.count('forwarded writes');
    this.#send?.(call, this.#term);
  }

  /** Another tab leads, or this one. */
  follow(term: number, send: (call: ForwardedCall, term: number) => void): void {
    if (term <= this.#term) return;
    this.#term = term;
    this.#send = send;
    this.#ledger.count('forwarded writes sent again', this.#pending.size);
    for (const call of [...this.#pending.values()]) send(call, term);
  }

  /** An answer of a leader before this one is void: the next one has been asked. */
  answer(id: number, term: number, made: WriteInfo | 'failed'): void {
    if (term !== this.#term || !this.#pending.delete(id)) return;
    if (made === 'failed') {
      this.#ledger.count('forwarded writes that failed');
      return;
    }
    this.#ledger.count('forwarded writes answered');
    if (this.#answered.some((other) => other.id < id !== other.uid < made.uid)) {
      this.#ledger.fail('forwarded-out-of-order', `${this.#name}: call ${id} became write ${made.uid}`);
    }
    this.#answered = [...this.#answered, { id, uid: made.uid }].slice(-REMEMBERED_CALLS);
  }
}

/** The same for the app, and another write for the log. */
export function repeated(op: Op, uid: number): Op {
  const ops = singlesOf(op).map((single): SingleOp => (single.type === 'yjs' ? { ...single, update: updateOf(uid) } : { ...single }));
  return op.type === 'batch' ? { ...op, ops } : ops[0]!;
}

export function updateOf(value: number): Uint8Array {
  return Uint8Array.of(value >> 16, value >> 8, value);
}
