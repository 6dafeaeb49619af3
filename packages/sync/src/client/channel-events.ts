import { assertNever, type Timestamp } from '@terndb/core';
import { ANSWER_TIMEOUT_MS } from '../limits.ts';
import type { ChannelState } from './channel-state.ts';
import { type ClientContext, follow, setDevice, writeEntry } from './context.ts';
import { sendAgain } from './pushing.ts';
import { adopt, fetched, fetchFailed, subscribe } from './subscription.ts';
import type { ClientEvent } from './types.ts';

export type ChannelEvent = Extract<
  ClientEvent,
  { type: 'adopt' | 'fetched' | 'fetch-failed' | 'seen' | 'diverged' | 'retry-denied' | 'discard' }
>;

/** What the host says of one channel. */
export function channelEvent(cx: ClientContext, state: ChannelState, event: ChannelEvent): void {
  switch (event.type) {
    case 'adopt':
      adopt(cx, state, event.above);
      return;
    case 'fetched':
      fetched(cx, state, event.fetch, event.snapshot);
      return;
    case 'fetch-failed':
      fetchFailed(cx, state, event.fetch);
      return;
    case 'seen':
      seen(cx, state, event.hlc);
      return;
    case 'diverged':
      diverged(cx, state);
      return;
    case 'retry-denied':
      retryDenied(cx, state);
      return;
    case 'discard':
      discard(cx, state, event.id);
      return;
    default:
      assertNever(event, 'event');
  }
}

/** Durable at once: there is no stored replica yet whose max HLC a restart would read, and the clock of the device may be behind. */
function seen(cx: ClientContext, state: ChannelState, hlc: Timestamp): void {
  const before = cx.device.hlc;
  follow(cx, hlc, state);
  if (cx.device.hlc > before) setDevice(cx, {});
}

function diverged(cx: ClientContext, state: ChannelState): void {
  if (cx.ablations['no-hash-check']) return;
  state.mustBootstrap = true;
  subscribe(cx, state);
}

export function retryDenied(cx: ClientContext, state: ChannelState): void {
  const { pushDenied } = state;
  state.pushDenied = false;
  if (state.status === 'denied') subscribe(cx, state);
  // What was refused was sent once already.
  else if (pushDenied) sendAgain(cx, state);
}

function discard(cx: ClientContext, state: ChannelState, id: number): void {
  const entry = state.outbox.find(({ stored }) => stored.id === id);
  if (entry === undefined || entry.settled !== undefined) return;
  entry.stored = { ...entry.stored, op: { type: 'batch', ops: [] } };
  writeEntry(cx, entry.stored);
}

/** Nothing waits for ever: lost answers are asked for again. */
export function watchChannel(cx: ClientContext, state: ChannelState): void {
  const { monotonicMs } = cx.step.now;
  const since = state.status === 'subscribing' ? state.subscribedAtMs : state.waitingSinceMs;
  const isUnanswered = since !== undefined && monotonicMs - since > ANSWER_TIMEOUT_MS;
  // Ticks come every second: without them the leader knows nothing of this subscription any more.
  const isForgotten = state.status === 'following' && monotonicMs - state.heardAtMs > ANSWER_TIMEOUT_MS;
  if (isUnanswered || isForgotten) subscribe(cx, state);
}
