import type { encodeSlotFrame, Frame, Hash64, LogRecord, Op, Origin, PrimaryKey, SingleOp, Stamp, Timestamp } from '@terndb/core';
import type { Ablations } from '../ablations.ts';
import { SERVER_ID_PREFIX } from '../limits.ts';
import type { ChannelAnswer, ManifestOffer, Push, Rejection, Subscribe } from '../protocol.ts';

/** What the fold of a channel keeps of one client (R1). */
export interface Lmid {
  readonly seq: number;
  readonly position: number;
  /** Who wrote under this id; nobody else may (design 4). Empty: unknown, from records of old frames only. */
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
  entity(pk: PrimaryKey):
    | {
        readonly put?: Stamp | undefined;
        readonly delete?: Stamp | undefined;
        /** Origin of the put in force: what collab updates must name. Left out: it is not checked. */
        readonly base?: Origin | undefined;
      }
    | undefined;
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
  /** Newest schema version of a channel that this leader knows; ops of a newer one wait (`busy`). Left out: any is taken. */
  readonly schemaVersionOf?: (channel: string) => number;
  /** The channel was dropped from the catalog, or never was in it. Such a channel is `gone` for who subscribes or pushes. */
  readonly isGone?: (channel: string) => boolean;
  /** Default MAX_TAIL_BYTES. */
  readonly maxTailBytes?: number;
  readonly ablations?: Ablations;
}

/** The client id of a server's own writes: one per universe. Leaders follow each other in the log, so they share its seqs; nobody else may use it. */
export function serverClientId(logEpoch: string): string {
  return `${SERVER_ID_PREFIX}${logEpoch}`;
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
  /**
   * The server's own write: from REST, or resolved from an upsert, a condition, an import. The ops are one record with one stamp and one outcome
   * (several: a batch). Answered by `written`, `write-refused`, `unanswered`. `request` is the host's, never reused while it waits.
   */
  | {
      readonly type: 'write';
      readonly request: number;
      readonly channel: string;
      /** At least one, together at most MAX_OP_BYTES. */
      readonly ops: readonly SingleOp[];
      /** Subject of who asked. */
      readonly author: string;
      readonly schemaVersion: number;
      /**
       * Left out: above the wall clock and everything in the channel. A delete by filter carries the max HLC of the view it was resolved in:
       * it wins over all that was in the view, and loses to every later edit.
       */
      readonly hlc?: Timestamp;
    }
  /** A strong read: whoever has read the slot's log up to the answer has seen everything acknowledged before. One tick serves all who wait. */
  | { readonly type: 'tick-now'; readonly request: number }
  /** Readers of the slot that have no subscription here (query nodes): while there are any, ticks go on. */
  | { readonly type: 'readers'; readonly count: number }
  | { readonly type: 'unsubscribe'; readonly session: string; readonly channel: string; readonly subscription: number }
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
  /** Bytes of the channel's log after its newest manifest, as the host counted them: after a replay and with each new manifest. */
  | { readonly type: 'tail'; readonly channel: string; readonly bytes: number }
  /** The channel was dropped: its subscriptions end, and what waits for it is refused. From then on `isGone` says so too. */
  | { readonly type: 'gone'; readonly channel: string }
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
  /** Durable in the log and folded. */
  | { readonly type: 'written'; readonly request: number; readonly position: number; readonly hlc: Timestamp }
  /** Nothing of it was appended, and nothing will be. Codes of core's registry; RATE_LIMITED: the channel is busy, try later. */
  | { readonly type: 'write-refused'; readonly request: number; readonly code: string }
  /** `lastSequence`: the tick's own, in the slot's log. All channels of the slot are folded here up to it. */
  | { readonly type: 'ticked'; readonly request: number; readonly time: Timestamp; readonly lastSequence: number }
  /** A write or tick that this leader cannot answer any more. `mayBeInLog`: the outcome is unknown; else it is safe to ask the next leader. */
  | { readonly type: 'unanswered'; readonly request: number; readonly mayBeInLog: boolean }
  | { readonly type: 'timer'; readonly timer: string; readonly delayMs: number }
  /** Another leader has appended: everything here is void. */
  | { readonly type: 'step-down' };
