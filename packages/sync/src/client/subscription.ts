import { type Frame, MAX_AHEAD_MS } from '@terndb/core';
import { CHANNEL_CREDIT_BYTES, FETCH_RETRY_MS } from '../limits.ts';
import type { ChannelAnswer, DeniedAccess, Subscribe, Subscribed, Tick } from '../protocol.ts';
import { type ChannelState, type Covered, coveredBy, coverFrame, firstUnsettled, heldIds } from './channel-state.ts';
import { type ClientContext, follow, newIdentity, writeChannel } from './context.ts';
import type { OutboxEntry } from './durable.ts';
import { dropCovered, formersOf, isRefused, queueAgain, restamp, settle, strandedOf } from './outbox.ts';
import { forget, pump, sendAgain } from './pushing.ts';
import type { Snapshot } from './types.ts';

/** Ends the name of a universe whose log lost its end: no server has one of this name. */
export const LOST_TAIL = '~lost';

/** The machine of one channel of a client: subscribe, push, follow, bootstrap. Rules by their ids in SPEC.md. */

function send(cx: ClientContext, message: Parameters<ClientContext['step']['effect']>[0] & { type: 'send' }): void {
  cx.step.after(message);
}

/** Whether everything is as at the time of the subscription and later. */
export function isCaughtUp(state: ChannelState): boolean {
  if (state.status === 'denied' || state.status === 'gone') return true;
  return state.status === 'following' && state.staging?.isAside !== false && state.position >= state.head;
}

/** R18: a new subscription voids what belongs to the one before. */
export function subscribe(cx: ClientContext, state: ChannelState): void {
  if (!cx.isOpen || cx.socket === undefined || state.status === 'gone') return;
  dropStaging(cx, state);
  cx.nextSubscription += 1;
  state.subscription = cx.nextSubscription;
  state.status = 'subscribing';
  state.subscribedAtMs = cx.step.now.monotonicMs;
  state.sentUpTo = 0;
  state.appliedBytes = 0;
  state.waitingSinceMs = undefined;
  state.pushPaused = false;
  const shown = cx.options.replicaOf(state.channel);
  const hasReplica =
    state.logEpoch !== null && state.logEpoch === cx.device.logEpoch && !state.mustBootstrap && state.adoptAbove === undefined;
  const message: Subscribe = {
    type: 'subscribe',
    channel: state.channel,
    subscription: state.subscription,
    credit: cx.options.creditBytes ?? CHANNEL_CREDIT_BYTES,
    formers: formersOf(cx, state),
    ...(hasReplica ? { at: state.position } : {}),
    ...(hasReplica && shown?.position === state.position && !cx.ablations['no-hash-check'] ? { hash: shown.hash } : {}),
  };
  send(cx, { type: 'send', socket: cx.socket, message });
}

export function unsubscribeAll(states: Iterable<ChannelState>, cx: ClientContext): void {
  for (const state of states) {
    dropStaging(cx, state);
    state.subscription = 0;
    if (state.status !== 'gone') state.status = 'idle';
    state.waitingSinceMs = undefined;
    state.pushDenied = false;
  }
}

/** The channel is not followed any more. */
export function unsubscribe(cx: ClientContext, state: ChannelState): void {
  if (cx.isOpen && cx.socket !== undefined && state.subscription > 0) {
    const { channel, subscription } = state;
    send(cx, { type: 'send', socket: cx.socket, message: { type: 'unsubscribe', channel, subscription } });
  }
  unsubscribeAll([state], cx);
}

/** Only a replica that is right and followed is worth a newer manifest. */
export function adopt(cx: ClientContext, state: ChannelState, above: number): void {
  if (state.status !== 'following' || state.staging !== undefined || state.mustBootstrap) return;
  state.adoptAbove = above;
  subscribe(cx, state);
}

function dropStaging(cx: ClientContext, state: ChannelState): void {
  if (state.staging === undefined) return;
  cx.step.effect({ type: 'drop-fetch', channel: state.channel, fetch: state.staging.fetch });
  state.staging = undefined;
}

/** An answer of the leader. */
export function receive(cx: ClientContext, state: ChannelState, message: ChannelAnswer, bytes: number): void {
  if (message.subscription !== state.subscription && !(cx.ablations['no-subscription-fence'] && message.type !== 'subscribed')) return;
  state.heardAtMs = cx.step.now.monotonicMs;
  switch (message.type) {
    case 'subscribed':
      subscribed(cx, state, message);
      return;
    case 'frame':
      receiveFrame(cx, state, message.frame, bytes);
      return;
    case 'ack':
      settle(cx, state, { clientId: cx.device.clientId, lmid: message.seq, position: message.position, rejected: message.rejected });
      dropCovered(cx, state, new Map());
      state.waitingSinceMs = message.seq >= state.sentUpTo ? undefined : cx.step.now.monotonicMs;
      pump(cx, state);
      return;
    case 'restamp':
      restamp(cx, state, { seq: message.seq, hlc: message.hlc, clock: message.clock, maxAheadMs: MAX_AHEAD_MS });
      subscribe(cx, state);
      return;
    case 'gap':
      if (message.expected < firstUnsettled(state, cx.device.clientId)) subscribe(cx, state);
      else sendAgain(cx, state);
      return;
    case 'unknown-client':
      if (!cx.ablations['keep-expired-id']) newIdentity(cx);
      else sendAgain(cx, state);
      return;
    case 'busy':
      if (cx.ablations['drop-on-unknown']) forget(cx, state);
      state.pushPaused = true;
      state.waitingSinceMs = undefined;
      cx.step.effect({ type: 'timer', timer: `resend:${state.channel}`, delayMs: message.retryMs });
      return;
    case 'denied':
      denied(cx, state, message.access);
      return;
    case 'ended':
      if (message.reason !== 'fenced') subscribe(cx, state);
      return;
    case 'gone':
      dropStaging(cx, state);
      state.status = 'gone';
      cx.step.effect({ type: 'gone', channel: state.channel });
      return;
    case 'tick':
      // R12: the server sent up to there, and it did not all arrive.
      if (state.status !== 'following') return;
      if (message.position > receivedPosition(state)) subscribe(cx, state);
      else tellFresh(cx, state, message);
      return;
  }
}

/** What is shown is as the slot's log was at the tick. */
function tellFresh(cx: ClientContext, state: ChannelState, { time, position }: Tick): void {
  if (state.staging?.isAside === false || state.logEpoch !== cx.device.logEpoch) return;
  if (time <= state.freshTime || state.position < position) return;
  state.freshTime = time;
  cx.step.after({ type: 'fresh', channel: state.channel, time, position: state.position });
}

function receivedPosition(state: ChannelState): number {
  const { staging } = state;
  if (staging === undefined) return state.position;
  return staging.position ?? Number.POSITIVE_INFINITY;
}

function denied(cx: ClientContext, state: ChannelState, access: DeniedAccess): void {
  state.waitingSinceMs = undefined;
  if (access === 'read') {
    dropStaging(cx, state);
    state.status = 'denied';
  } else {
    state.pushDenied = true;
  }
  cx.step.effect({ type: 'denied', channel: state.channel, access });
}

function subscribed(cx: ClientContext, state: ChannelState, message: Subscribed): void {
  if (state.status !== 'subscribing') return;
  const { known, formers, manifest, from, head } = message;
  state.status = 'following';
  state.head = head;
  const isLost = hasLostTail(cx, state, message);
  // R14. For this channel it is another universe: what is held goes up again under a new id, kept ops too.
  if (isLost) state.logEpoch = `${state.logEpoch ?? ''}${LOST_TAIL}`;
  if (state.clientId !== cx.device.clientId) {
    queueAgain(cx, state, formers);
  } else {
    if (isLost) {
      writeChannel(cx, state);
      newIdentity(cx);
      return;
    }
    for (const former of formers) settle(cx, state, former);
    // The log forgot the id they stayed under: they are queued again with everything else, in their order.
    const isStranded = strandedOf(cx, state).length > 0;
    if ((isStranded || (known.lmid === 0 && state.everSent)) && !cx.ablations['keep-expired-id']) {
      newIdentity(cx);
      return;
    }
  }
  settle(cx, state, known);
  const isSameEpoch = state.logEpoch === cx.device.logEpoch;
  const { adoptAbove } = state;
  state.adoptAbove = undefined;
  if (adoptAbove !== undefined && isSameEpoch && (manifest?.upTo ?? 0) <= adoptAbove) {
    // Nothing newer: on with what is there.
    subscribe(cx, state);
    return;
  }
  if (manifest !== undefined || !isSameEpoch || from !== state.position || state.mustBootstrap)
    bootstrap(cx, state, message, adoptAbove !== undefined);
  else dropCovered(cx, state, new Map());
  pump(cx, state);
}

/**
 * R14. The log ends before what is shown here, or knows less of an id of this device than it has said: it lost its end and kept its epoch. It may
 * have grown since beyond what is shown. An id that it does not know at all has expired or was lost. Kept ops are mostly younger than any id that
 * expires (not those of a device that was offline for longer, R15); where this cannot be told, a repetition is harmless and a loss is not.
 */
function hasLostTail(cx: ClientContext, state: ChannelState, { head, known, formers }: Subscribed): boolean {
  const isSameEpoch = state.logEpoch === cx.device.logEpoch;
  const isOwnId = state.clientId === known.clientId;
  // With both new, everything not in the log goes up again anyway.
  if (cx.ablations['keep-id-on-restore'] || (!isSameEpoch && !isOwnId)) return false;
  if (isSameEpoch && head < state.position) return true;
  if (isOwnId && known.lmid > 0 && known.lmid < firstUnsettled(state, known.clientId) - 1) return true;
  const byId = new Map([known, ...formers].map((entry) => [entry.clientId, entry]));
  const isForgotten = ({ clientId, seq }: OutboxEntry): boolean => seq > (byId.get(clientId)?.lmid ?? Number.POSITIVE_INFINITY);
  if (state.outbox.some(({ stored, settled }) => settled !== undefined && isForgotten(stored))) return true;
  return state.kept.some((entry) => isForgotten(entry) || isRefused(byId.get(entry.clientId), entry));
}

function bootstrap(cx: ClientContext, state: ChannelState, { manifest, head }: Subscribed, isAdopting: boolean): void {
  const isSameEpoch = state.logEpoch === cx.device.logEpoch;
  const isAside = isAdopting && isSameEpoch && !state.mustBootstrap;
  // R6: never below what is shown; in another universe not before what it had when it was joined. A replica known to be wrong goes back too.
  let target = isSameEpoch ? state.position : head;
  if (isSameEpoch && cx.ablations['swap-early']) target = 0;
  if (!isSameEpoch && cx.ablations['epoch-swap-early']) target = 0;
  cx.nextFetch += 1;
  const fetch = cx.nextFetch;
  state.staging = { fetch, target, isAside, position: undefined, covered: new Map(), waiting: [] };
  cx.step.effect({ type: 'fetch', channel: state.channel, fetch, offer: manifest, clientIds: [...heldIds(state)] });
}

export function fetched(cx: ClientContext, state: ChannelState, fetch: number, snapshot: Snapshot): void {
  const { staging } = state;
  if (staging?.fetch !== fetch || staging.position !== undefined) {
    cx.step.effect({ type: 'drop-fetch', channel: state.channel, fetch });
    return;
  }
  staging.position = snapshot.position;
  for (const [clientId, entry] of coveredBy(snapshot.known)) staging.covered.set(clientId, entry);
  if (!cx.ablations['manifest-without-hlc']) follow(cx, snapshot.maxHlc, state);
  const waiting = staging.waiting;
  staging.waiting = [];
  swapIfReached(cx, state);
  for (const { frame, bytes } of waiting) receiveFrame(cx, state, frame, bytes);
}

export function fetchFailed(cx: ClientContext, state: ChannelState, fetch: number): void {
  if (state.staging?.fetch !== fetch) return;
  dropStaging(cx, state);
  // A new subscription: the offer may be stale, and signed addresses expire.
  state.status = 'paused';
  state.subscription = 0;
  cx.step.effect({ type: 'timer', timer: `subscribe:${state.channel}`, delayMs: FETCH_RETRY_MS });
}

function receiveFrame(cx: ClientContext, state: ChannelState, frame: Frame, bytes: number): void {
  // Not compared: its log epoch. A restored log keeps the frames of the epochs before; the universe is the connection's (R14).
  if (state.status !== 'following') return;
  const { staging } = state;
  const last = frame.base + frame.records.length - 1;
  const isShownOn = staging === undefined || staging.isAside;
  if (isShownOn && frame.base <= state.position && last > state.position && !cx.ablations['frame-not-atomic']) {
    // R5, R13: what is shown ends where a frame ended. This frame is of another log, and no hash could tell, because it begins before that.
    state.mustBootstrap = true;
    subscribe(cx, state);
    return;
  }
  if (staging?.isAside && frame.base <= state.position + 1 && last > state.position) {
    followFrame(cx, state, frame);
    applyFrame(cx, state, frame, last);
  }
  if (staging !== undefined && staging.position === undefined) {
    staging.waiting.push({ frame, bytes });
    return;
  }
  const position = staging?.position ?? state.position;
  if (last > position) {
    if (frame.base > position + 1 && !cx.ablations['no-hole-check']) {
      subscribe(cx, state);
      return;
    }
    followFrame(cx, state, frame);
    if (staging === undefined) applyFrame(cx, state, frame, last);
    else stageFrame(cx, state, frame, last);
  }
  giveCredit(cx, state, bytes);
}

function followFrame(cx: ClientContext, state: ChannelState, frame: Frame): void {
  for (const record of frame.records) if (record.type === 'op') follow(cx, record.hlc, state);
}

function applyFrame(cx: ClientContext, state: ChannelState, frame: Frame, last: number): void {
  const covered: Covered = new Map();
  coverFrame(covered, frame, heldIds(state));
  if (!cx.ablations['frame-not-atomic']) {
    state.position = last;
    cx.step.write({ type: 'frame', channel: state.channel, frame });
    dropCovered(cx, state, covered);
    return;
  }
  const from = state.position;
  state.position = last;
  dropCovered(cx, state, covered);
  for (const [index, record] of frame.records.entries()) {
    if (frame.base + index <= from) continue;
    cx.step.cut();
    cx.step.write({ type: 'frame', channel: state.channel, frame: { ...frame, base: frame.base + index, records: [record] } });
  }
}

function stageFrame(cx: ClientContext, state: ChannelState, frame: Frame, last: number): void {
  const staging = state.staging!;
  cx.step.effect({ type: 'stage', channel: state.channel, fetch: staging.fetch, frame });
  coverFrame(staging.covered, frame, heldIds(state));
  staging.position = last;
  swapIfReached(cx, state);
}

function swapIfReached(cx: ClientContext, state: ChannelState): void {
  const { staging } = state;
  // What is shown may have gone on meanwhile.
  const target = staging?.isAside ? Math.max(staging.target, state.position) : staging?.target;
  if (staging?.position === undefined || staging.position < target!) return;
  state.staging = undefined;
  state.position = staging.position;
  state.logEpoch = cx.device.logEpoch;
  state.mustBootstrap = false;
  writeChannel(cx, state);
  cx.step.write({ type: 'swap', channel: state.channel, fetch: staging.fetch });
  dropCovered(cx, state, staging.covered);
}

/** After apply, not after receipt: a slow device slows its server's reads, and nothing piles up. */
function giveCredit(cx: ClientContext, state: ChannelState, bytes: number): void {
  state.appliedBytes += bytes;
  sendCredit(cx, state);
}

/** The total, so that saying it again is harmless: a lost one would stop a subscription that is at the end of its credit. */
export function sendCredit(cx: ClientContext, state: ChannelState): void {
  if (cx.socket === undefined || state.subscription === 0 || state.appliedBytes === 0) return;
  const message = { type: 'credit', channel: state.channel, subscription: state.subscription, bytes: state.appliedBytes } as const;
  send(cx, { type: 'send', socket: cx.socket, message });
}
