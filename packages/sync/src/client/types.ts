import type { Frame, Hash64, Op, Rng, Timestamp } from '@terndb/core';
import type { Ablations } from '../ablations.ts';
import type { ClientMessage, DeniedAccess, KnownClient, ManifestOffer, ServerMessage } from '../protocol.ts';
import type { ChannelRecord, DeviceRecord, DurableState, KeptEntry, OutboxEntry, RejectedEntry } from './durable.ts';
import type { Link, Role } from './transitions.ts';

/** Time as a step sees it. */
export interface Now {
  /** Wall clock, which may be wrong and may jump. */
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export interface ClientOptions {
  readonly rng: Rng;
  /** Followed from the start; `follow` and `leave` change them. */
  readonly channels: readonly string[];
  readonly schemas?: readonly string[];
  /** Versions it speaks; the default is this one. */
  readonly protocol?: { readonly oldest: number; readonly newest: number };
  /** Bytes a server may send ahead of what is applied, per channel; default CHANNEL_CREDIT_BYTES. */
  readonly creditBytes?: number;
  /** What is shown of a channel; undefined when there is nothing. Read only, cheap. */
  readonly replicaOf: (channel: string) => { readonly position: number; readonly hash: Hash64 } | undefined;
  readonly ablations?: Ablations;
}

/** A downloaded bootstrap, held by the host under `fetch` until it is swapped in or dropped. */
export interface Snapshot {
  readonly position: number;
  readonly maxHlc: Timestamp;
  /** What it knows of the ids that were asked for. */
  readonly known: readonly KnownClient[];
}

/** A write of the app. Valid already: bad input never gets here. */
export interface WriteIntent {
  readonly channel: string;
  readonly op: Op;
  /** Stamp of an op that was resolved by reading: a delete by filter carries the max HLC it has seen. Left out: a new one, above everything seen. */
  readonly hlc?: Timestamp;
  /** Of the collection it was validated against; 1 when left out. */
  readonly schemaVersion?: number;
}

export type TokenReason = 'start' | 'expiring' | 'rejected';

export type ClientEvent =
  /** This tab holds the lock; `durable` was read after `term` had been stored. */
  | { readonly type: 'elected'; readonly term: number; readonly durable: DurableState }
  /** Another tab leads. */
  | { readonly type: 'demoted' }
  /** There is no lock and no other tab. */
  | { readonly type: 'alone'; readonly durable: DurableState }
  | { readonly type: 'start' }
  | { readonly type: 'stop' }
  | ({ readonly type: 'write'; readonly request: number } & WriteIntent)
  /** All of them in one transaction. They get contiguous ids; `local` names the first. */
  | { readonly type: 'write-batch'; readonly request: number; readonly writes: readonly WriteIntent[] }
  /** From now on this channel too; what is stored of it is taken up again. Whatever the role: a tab that leads later follows it as well. */
  | { readonly type: 'follow'; readonly channel: string }
  /** Not this channel any more. Its outbox stays stored, and comes back when it is followed again. */
  | { readonly type: 'leave'; readonly channel: string }
  /**
   * Take a newer manifest, if the server has one above `above`, to shed a long tail: built aside while the shown replica goes on, and swapped in
   * like any bootstrap. Nothing happens when there is none, or while there is no subscription.
   */
  | { readonly type: 'adopt'; readonly channel: string; readonly above: number }
  | { readonly type: 'persisted'; readonly batch: number }
  | { readonly type: 'persist-failed'; readonly batch: number; readonly reason: 'storage' | 'fenced' }
  | { readonly type: 'socket-open'; readonly socket: number }
  | { readonly type: 'socket-closed'; readonly socket: number }
  | { readonly type: 'message'; readonly socket: number; readonly message: ServerMessage; readonly bytes: number }
  | { readonly type: 'timer'; readonly timer: string }
  | { readonly type: 'token'; readonly token: string; readonly subject: string; readonly expiresInMs: number }
  | { readonly type: 'token-failed' }
  | { readonly type: 'fetched'; readonly channel: string; readonly fetch: number; readonly snapshot: Snapshot }
  | { readonly type: 'fetch-failed'; readonly channel: string; readonly fetch: number }
  /** R10: rows up to this stamp are about to be shown of a bootstrap that is under way. */
  | { readonly type: 'seen'; readonly channel: string; readonly hlc: Timestamp }
  /** R13: a frame or a subscription did not fit the replica's hash. */
  | { readonly type: 'diverged'; readonly channel: string }
  /** The app asks again for what was denied. */
  | { readonly type: 'retry-denied'; readonly channel: string }
  /** The app gives up an entry: it keeps its seq and sets nothing. */
  | { readonly type: 'discard'; readonly channel: string; readonly id: number };

export type StoreWrite =
  | { readonly type: 'device'; readonly device: DeviceRecord }
  | { readonly type: 'channel'; readonly record: ChannelRecord }
  | { readonly type: 'outbox'; readonly entry: OutboxEntry }
  | { readonly type: 'outbox-delete'; readonly channel: string; readonly id: number }
  | { readonly type: 'kept'; readonly entry: KeptEntry }
  | { readonly type: 'kept-delete'; readonly channel: string; readonly id: number }
  | { readonly type: 'rejected'; readonly entry: RejectedEntry }
  /** Apply to the shown replica. */
  | { readonly type: 'frame'; readonly channel: string; readonly frame: Frame }
  /** The bootstrap held under `fetch` becomes the shown replica (R6). */
  | { readonly type: 'swap'; readonly channel: string; readonly fetch: number };

export type ClientEffect =
  /** One transaction, refused as `fenced` when the database has a higher term (R11). All of it becomes durable and visible at once (R5). */
  | { readonly type: 'persist'; readonly batch: number; readonly term: number; readonly writes: readonly StoreWrite[] }
  | { readonly type: 'connect'; readonly socket: number }
  | { readonly type: 'disconnect'; readonly socket: number }
  | { readonly type: 'send'; readonly socket: number; readonly message: ClientMessage }
  | { readonly type: 'get-token'; readonly reason: TokenReason }
  /** Without an offer: an empty replica. */
  | {
      readonly type: 'fetch';
      readonly channel: string;
      readonly fetch: number;
      readonly offer: ManifestOffer | undefined;
      readonly clientIds: readonly string[];
    }
  /** Apply to the bootstrap held under `fetch`. */
  | { readonly type: 'stage'; readonly channel: string; readonly fetch: number; readonly frame: Frame }
  | { readonly type: 'drop-fetch'; readonly channel: string; readonly fetch: number }
  | { readonly type: 'timer'; readonly timer: string; readonly delayMs: number }
  /** The write is durable here. */
  | { readonly type: 'local'; readonly request: number; readonly id: number }
  /** Not durable as far as this tab knows: storage refused it, or the tab stopped leading meanwhile (then it may be durable after all). */
  | { readonly type: 'write-failed'; readonly request: number }
  | { readonly type: 'acked'; readonly channel: string; readonly id: number; readonly position: number }
  | { readonly type: 'rejected'; readonly channel: string; readonly id: number; readonly code: string }
  | { readonly type: 'restamped'; readonly channel: string; readonly ids: readonly number[] }
  | { readonly type: 'denied'; readonly channel: string; readonly access: DeniedAccess }
  | { readonly type: 'gone'; readonly channel: string }
  /** What is shown from here on holds everything that was acknowledged before `time` (server's clock): for staleness and bounded reads. */
  | { readonly type: 'fresh'; readonly channel: string; readonly time: Timestamp; readonly position: number }
  | { readonly type: 'status'; readonly role: Role; readonly link: Link; readonly detail?: string }
  /** A batch was refused: nothing this machine knows may be trusted. Read the database and elect again. */
  | { readonly type: 'reopen' };
