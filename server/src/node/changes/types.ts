import type { JsonValue, Span } from '@terndb/core';

/** What became of one entity: a line of the feed. Values as `/sync/v1/get` gives them (sync, protocol/json-value.ts). */
export type Change =
  /** The whole entity; it replaces what the reader has under this key, if anything. */
  | { readonly type: 'insert'; readonly key: JsonValue; readonly entity: Readonly<Record<string, JsonValue>> }
  /** The fields that have another value now, at least one. */
  | { readonly type: 'update'; readonly key: JsonValue; readonly fields: Readonly<Record<string, JsonValue>> }
  | { readonly type: 'delete'; readonly key: JsonValue };

export type FeedEvent =
  /** The reader's copy is not needed any more: all entities follow as inserts, then a position. */
  | { readonly type: 'reset'; readonly reason: ResetReason }
  /** Lines of JSON, each a `Change` and ended by a line break: made once, in the fold, and sent as they are. */
  | { readonly type: 'changes'; readonly count: number; readonly lines: string }
  /** Everything up to here has been said; the token resumes behind it. Also now and then when nothing changes. */
  | { readonly type: 'position'; readonly token: string };

/**
 * `start`: no token. `token-too-old`: the log has been cut behind it, or more has changed than is folded at once. `other-universe`: the token is
 * of a log that was lost or restored since, or of another partition.
 */
export type ResetReason = 'start' | 'token-too-old' | 'other-universe';

export interface ChangesRequest {
  readonly collection: string;
  readonly partition: string;
  /** Token of a position line, or of a read or a write of this partition. Left out: from the beginning. */
  readonly from?: string | undefined;
  /** Fields beside the key; left out: all of them, vectors too. */
  readonly select?: readonly string[] | undefined;
  /** The span of a fold behind the first, which is part of the request's; undefined: it is not traced. */
  readonly beginFold?: (() => Span | undefined) | undefined;
}
