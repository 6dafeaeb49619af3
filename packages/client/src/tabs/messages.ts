/**
 * What the workers of one database say to each other across tabs. Every worker listens on the database's common topic and on its own; calls and
 * answers use the receiver's own topic, so that a tab does not unpack what is meant for another.
 *
 * Covers tabs of one origin; after an update of the app old and new tabs meet, which is why the version is part of the topic: tabs of different
 * versions do not hear each other, and the younger one waits for the lock.
 * History: 1 first version; 2 replication; 3 collab documents.
 */
import type { ErrorMessage } from '@terndb/core';
import type { Call, WatchRequest, WatchResult } from '../worker/protocol.ts';

const TABS_VERSION = 3;

export function commonTopic(database: string): string {
  return `terndb:${TABS_VERSION}:${database}`;
}
export function tabTopic(database: string, tab: string): string {
  return `terndb:${TABS_VERSION}:${database}/${tab}`;
}
/** Held by the worker that runs the engine. */
export function leaderLock(database: string): string {
  return `terndb:${database}`;
}
/** Held by every worker as long as it lives: who gets it knows that the tab is gone. */
export function tabLock(database: string, tab: string): string {
  return `terndb:${database}:tab:${tab}`;
}

/** On the common topic. */
export type CommonMessage =
  | { readonly type: 'who-leads' }
  /** The answer, and the announcement of a new leader. Terms rise by one with every leader. */
  | { readonly type: 'lead'; readonly leader: string; readonly term: number };

/** From a follower to the leader. `id` is per tab and names the call or the watch over all leaders. */
export type ToLeader =
  | { readonly type: 'call'; readonly from: string; readonly id: number; readonly call: Call }
  | { readonly type: 'watch'; readonly from: string; readonly id: number; readonly watch: WatchRequest }
  | { readonly type: 'unwatch'; readonly from: string; readonly id: number }
  /** The follower has taken the last result of this watch. */
  | { readonly type: 'taken'; readonly from: string; readonly id: number };

/** From the leader to a follower; messages of an older term are void. */
export type ToFollower =
  | { readonly type: 'answer'; readonly term: number; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly term: number; readonly id: number; readonly error: ErrorMessage }
  | { readonly type: 'result'; readonly term: number; readonly id: number; readonly result: WatchResult }
  | { readonly type: 'watch-error'; readonly term: number; readonly id: number; readonly error: ErrorMessage };
