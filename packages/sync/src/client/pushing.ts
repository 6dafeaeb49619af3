import { encodedOpBytes, type Op, type OpRecord, opBytesBound } from '@terndb/core';
import { MAX_PUSH_BYTES, MAX_PUSH_OPS, MAX_UNANSWERED_OPS } from '../limits.ts';
import type { ChannelState, PendingEntry } from './channel-state.ts';
import { type ClientContext, newIdentity, writeChannel, writeEntry } from './context.ts';

/** Sends what is ready, in order. `sent` is durable before the first of it leaves (R2). */
export function pump(cx: ClientContext, state: ChannelState): void {
  if (!cx.isOpen || cx.socket === undefined || state.status !== 'following' || state.pushDenied || state.pushPaused) return;
  if (state.clientId !== cx.device.clientId || cx.mustReconnect) return;
  const unanswered = state.outbox.filter(({ stored, settled }) => stored.clientId === cx.device.clientId && settled === undefined);
  const window = unanswered.slice(0, MAX_UNANSWERED_OPS).filter(({ stored }) => stored.seq > state.sentUpTo);
  // An entry goes out only under the subject that wrote it; what was written before the first connection has none yet.
  const foreign = window.findIndex(({ stored }) => stored.subject !== '' && stored.subject !== cx.device.subject);
  const ready = foreign < 0 ? window : window.slice(0, foreign);
  // A database that lost an entry: nothing after it would ever be taken. Under a new id there is no hole (R2).
  if (ready.some(({ stored }, index) => index > 0 && stored.seq !== ready[index - 1]!.stored.seq + 1)) {
    newIdentity(cx);
    return;
  }
  for (let start = 0; start < ready.length; ) {
    const end = pushEnd(ready, start);
    push(cx, state, ready.slice(start, end));
    start = end;
  }
}

function pushEnd(ready: readonly PendingEntry[], start: number): number {
  let bytes = 0;
  let end = start;
  while (end < ready.length && end - start < MAX_PUSH_OPS) {
    bytes += pushedBytes(ready[end]!.stored.op);
    if (bytes > MAX_PUSH_BYTES && end > start) break;
    end += 1;
  }
  return end;
}

/** Measuring exactly costs an encoding; ops so small that a push of nothing else fits are not worth it. */
function pushedBytes(op: Op): number {
  const bound = opBytesBound(op);
  return bound * MAX_PUSH_OPS <= MAX_PUSH_BYTES ? bound : encodedOpBytes(op);
}

function push(cx: ClientContext, state: ChannelState, entries: readonly PendingEntry[]): void {
  for (const entry of entries) {
    if (entry.stored.sent) continue;
    entry.stored = { ...entry.stored, sent: true };
    writeEntry(cx, entry.stored);
  }
  if (!state.everSent) {
    state.everSent = true;
    writeChannel(cx, state);
  }
  state.sentUpTo = entries.at(-1)!.stored.seq;
  state.waitingSinceMs ??= cx.step.now.monotonicMs;
  const records = entries.map(({ stored }): OpRecord => {
    const { op, hlc, clientId, seq, subject, schemaVersion, origin } = stored;
    const record = { type: 'op', op, hlc, clientId, seq, author: subject, schemaVersion } as const;
    return origin === undefined ? record : { ...record, origin };
  });
  cx.step.after({
    type: 'send',
    socket: cx.socket!,
    message: { type: 'push', channel: state.channel, subscription: state.subscription, records },
  });
}

export function sendAgain(cx: ClientContext, state: ChannelState): void {
  state.sentUpTo = 0;
  state.pushPaused = false;
  state.waitingSinceMs = undefined;
  pump(cx, state);
}

/** Only with `drop-on-unknown`. */
export function forget(cx: ClientContext, state: ChannelState): void {
  for (const { stored, settled } of state.outbox) {
    if (stored.sent && settled === undefined) cx.step.write({ type: 'outbox-delete', channel: state.channel, id: stored.id });
  }
  state.outbox = state.outbox.filter(({ stored, settled }) => !stored.sent || settled !== undefined);
}
