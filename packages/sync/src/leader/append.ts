import type { Timestamp } from '@terndb/core';
import type { LeaderEffect, LeaderEvent, LogEntryFrame } from './types.ts';

export type SubscribeEvent = Extract<LeaderEvent, { type: 'subscribe' }>;

/** What one append carries, and what its success lets happen. */
export interface AppendParts {
  readonly entries: readonly LogEntryFrame[];
  readonly replies?: readonly LeaderEffect[];
  /** Of the server's own writes in it. */
  readonly requests?: readonly number[];
  readonly bytes?: ReadonlyMap<string, number>;
  readonly expired?: readonly { readonly channel: string; readonly clientId: string }[];
  /** Answered when it is durable: until then somebody else may lead (R17). */
  readonly subscribes?: SubscribeEvent[];
  /** The last entry is a tick, and these wait for it. */
  readonly tick?: { readonly time: Timestamp; readonly requests: readonly number[] } | undefined;
}

/** On its way into the log: the only one. */
export interface Append extends AppendParts {
  readonly id: number;
  readonly expectedLast: number;
  isUncertain: boolean;
}
