import type { encodeSlotFrame, Frame, Hash64, LogRecord, Op, PrimaryKey, Stamp, Timestamp } from '@terndb/core';
import type { Ablations } from '../ablations.ts';
import type { ChannelAnswer, ManifestOffer, Push, Rejection, Subscribe } from '../protocol.ts';

/** What the fold of a channel keeps of one client (R1). */
export interface Lmid {
  readonly seq: number;
  readonly position: number;
  /** Who wrote under this id; nobody else may (design 4). Empty: only refusals so far, whose records name nobody. */
  readonly author: string;
  readonly rejected: readonly Rejection[];
}

/** The folded state of one channel, as the leader reads it. Everything is in memory: no I/O, no waiting. */
export interface ChannelFold {
  readonly position: number;
  readonly hash: Hash64;
  readonly floor: Timestamp;
  readonly maxHlc: Timestamp;
  lmid(clientId: string): Lmid | undefined;
  /** Undefined: never seen, or forgotten. */
  entity(pk: PrimaryKey): { readonly put?: Stamp | undefined; readonly delete?: Stamp | undefined } | undefined;
}

/** The channels of a slot. `get` makes an empty one when there is none. */
export interface SlotFolds {
  get(channel: string): ChannelFold;
  /** Folds a frame that is in the log, for good. */
  apply(frame: Frame): void;
}

export interface LeaderOptions {
  readonly logEpoch: string;
  readonly leaderEpoch: number;
  readonly folds: SlotFolds;
  /** Why an op can never be taken; undefined when it can. */
  readonly validate?: (channel: string, op: Op) => string | undefined;
  readonly ablations?: Ablations;
}

type SlotFrame = Parameters<typeof encodeSlotFrame>[0];
export type LogEntryFrame = Frame | SlotFrame;

/** Who is on the other end, as the access layer knows it. */
export interface Principal {
  /** One connection; never reused. */
  readonly session: string;
  readonly clientId: string;
  readonly term: number;
  readonly subject: string;
  readonly canWrite: boolean;
}

export type AppendOutcome = 'ok' | 'conflict' | 'unknown';

export type LeaderEvent =
  /** The host has folded the slot's log to its end. */
  | {
      readonly type: 'replayed';
      readonly lastSequence: number;
      /** Highest leader epoch that a `lead` in it names; 0: none. */
      readonly newestEpoch: number;
    }
  | { readonly type: 'appended'; readonly append: number; readonly outcome: AppendOutcome }
  /** What stands at `expected + 1` after an unknown outcome and a refusal: are they the bytes that were sent? */
  | { readonly type: 'read-back'; readonly append: number; readonly isOurs: boolean; readonly lastSequence: number }
  | { readonly type: 'subscribe'; readonly principal: Principal; readonly message: Subscribe }
  | { readonly type: 'push'; readonly principal: Principal; readonly message: Push }
  | { readonly type: 'credit'; readonly session: string; readonly channel: string; readonly subscription: number; readonly bytes: number }
  | { readonly type: 'session-closed'; readonly session: string }
  /** The answer to `read`; undefined frames: they were truncated. */
  | {
      readonly type: 'read';
      readonly session: string;
      readonly channel: string;
      readonly subscription: number;
      readonly frames: readonly { readonly frame: Frame; readonly bytes: number }[] | undefined;
    }
  /** Records of its own: tombstone collection and idle clients (R7, R15). */
  | { readonly type: 'maintain'; readonly channel: string; readonly records: readonly LogRecord[] }
  /** The newest published manifest of a channel, and from where on its log is still there. */
  | { readonly type: 'manifest'; readonly channel: string; readonly offer: ManifestOffer | undefined; readonly firstPosition: number }
  | { readonly type: 'timer'; readonly timer: string };

export type LeaderEffect =
  /** Fold the slot's log to its end, then `replayed`. */
  | { readonly type: 'replay' }
  | { readonly type: 'append'; readonly append: number; readonly expectedLast: number; readonly entries: readonly LogEntryFrame[] }
  | { readonly type: 'read-back'; readonly append: number; readonly sequence: number; readonly entries: readonly LogEntryFrame[] }
  | { readonly type: 'reply'; readonly session: string; readonly message: ChannelAnswer }
  | {
      readonly type: 'read';
      readonly session: string;
      readonly channel: string;
      readonly subscription: number;
      /** First position wanted. */
      readonly from: number;
      readonly maxBytes: number;
    }
  | { readonly type: 'timer'; readonly timer: string; readonly delayMs: number }
  /** Another leader has appended: everything here is void. */
  | { readonly type: 'step-down' };
