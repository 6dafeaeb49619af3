import type { Op, Timestamp } from '@terndb/core';
import { TICKS_PER_MS } from '@terndb/core';
import { KEEP_ACKED_MS, MAX_FORMERS, RESOLVED_ID_PREFIX } from '../limits.ts';
import type { KnownClient } from '../protocol.ts';
import { type ChannelState, type Covered, keysOf, newestStamp, type PendingEntry } from './channel-state.ts';
import { type ClientContext, follow, setDevice, wallMs, writeChannel, writeEntry } from './context.ts';
import type { KeptEntry, OutboxEntry } from './durable.ts';
import type { WriteIntent } from './types.ts';

/** Takes a write in: stamp, seq and entry are one transaction (R2). @returns its id. */
export function addWrite(cx: ClientContext, state: ChannelState, { op, hlc: given, schemaVersion = 1 }: WriteIntent): number {
  const next = Math.max(Math.floor(wallMs(cx)) * TICKS_PER_MS, cx.device.hlc + 1, newestStamp(state) + 1, state.seenHlc + 1) as Timestamp;
  const hlc = given ?? next;
  const { clientId } = state;
  const id = cx.device.nextId;
  const { subject } = cx.device;
  const seq = state.nextSeq;
  const origin = given === undefined ? {} : { origin: { clientId: `${RESOLVED_ID_PREFIX}${clientId}`, seq } };
  const entry: OutboxEntry = { id, channel: state.channel, op, hlc, clientId, seq, subject, sent: false, schemaVersion, ...origin };
  state.nextSeq += 1;
  state.outbox.push({ stored: entry, settled: undefined });
  setDevice(cx, { nextId: id + 1, ...(given === undefined ? { hlc } : {}) });
  writeChannel(cx, state);
  writeEntry(cx, entry);
  return id;
}

/** The log has these: they leave when the applied position covers them (R4). */
export function settle(cx: ClientContext, state: ChannelState, known: KnownClient): void {
  const codes = new Map(known.rejected.map(({ seq, code }) => [seq, code]));
  for (const entry of state.outbox) {
    const { clientId, seq, id } = entry.stored;
    if (clientId !== known.clientId || seq > known.lmid || entry.settled !== undefined) continue;
    const code = codes.get(seq);
    entry.settled = code === undefined ? { position: known.position } : { position: known.position, code };
    if (code === undefined) cx.step.after({ type: 'acked', channel: state.channel, id, position: known.position });
  }
  if (cx.ablations['overlay-at-ack']) removeEntries(cx, state, (entry) => entry.settled);
}

/** R4: what the shown position covers leaves the overlay, in the batch that moves the position. */
export function dropCovered(cx: ClientContext, state: ChannelState, covered: Covered): void {
  // What is still shown of an older universe covers nothing of this one, whatever its position.
  if (cx.ablations['overlay-at-ack'] || state.logEpoch !== cx.device.logEpoch) return;
  removeEntries(cx, state, ({ stored, settled }) => {
    const fold = covered.get(stored.clientId);
    const code = fold?.rejected.get(stored.seq);
    if (code !== undefined) return { position: state.position, code };
    if (settled !== undefined && settled.position <= state.position) return settled;
    return fold !== undefined && fold.lmid >= stored.seq ? (settled ?? { position: state.position }) : undefined;
  });
}

type Outcome = { readonly position: number; readonly code?: string } | undefined;

function removeEntries(cx: ClientContext, state: ChannelState, outcomeOf: (entry: PendingEntry) => Outcome): void {
  const remaining: PendingEntry[] = [];
  for (const entry of state.outbox) {
    const outcome = outcomeOf(entry);
    if (outcome === undefined) remaining.push(entry);
    else leave(cx, state, entry, outcome);
  }
  state.outbox = remaining;
}

function leave(cx: ClientContext, state: ChannelState, entry: PendingEntry, outcome: NonNullable<Outcome>): void {
  const { stored, settled } = entry;
  const { channel, id } = stored;
  const { step } = cx;
  step.write({ type: 'outbox-delete', channel, id });
  if (outcome.code !== undefined) {
    step.write({ type: 'rejected', entry: { ...stored, code: outcome.code } });
    step.after({ type: 'rejected', channel, id, code: outcome.code });
    return;
  }
  if (settled === undefined) step.after({ type: 'acked', channel, id, position: outcome.position });
  if (cx.ablations['acked-not-kept']) return;
  const kept: KeptEntry = { ...stored, keptAtMs: Math.floor(wallMs(cx)) };
  state.kept.push(kept);
  step.write({ type: 'kept', entry: kept });
}

/** R16: older ones are not asked back. */
export function pruneKept(cx: ClientContext, state: ChannelState): void {
  const oldest = wallMs(cx) - KEEP_ACKED_MS;
  for (const { id, keptAtMs } of state.kept) if (keptAtMs < oldest) cx.step.write({ type: 'kept-delete', channel: state.channel, id });
  state.kept = state.kept.filter(({ keptAtMs }) => keptAtMs >= oldest);
}

/**
 * Ids to ask about, newest first: before what is held is queued again; for entries that stayed under a former id because the log has them, when a
 * restart has forgotten that; and to hear whether the log still has what it acknowledged (R14).
 */
export function formersOf(cx: ClientContext, state: ChannelState): string[] {
  const held = [...state.kept, ...state.outbox.map(({ stored }) => stored)].sort((a, b) => b.id - a.id);
  const first = state.clientId === cx.device.clientId ? strandedOf(cx, state).map(({ stored }) => stored) : [];
  return [...new Set([...first, ...held].map(({ clientId }) => clientId))].filter((id) => id !== cx.device.clientId).slice(0, MAX_FORMERS);
}

/** Entries of a former id whose fate is not known. */
export function strandedOf(cx: ClientContext, state: ChannelState): readonly PendingEntry[] {
  return state.outbox.filter(({ stored, settled }) => settled === undefined && stored.clientId !== cx.device.clientId);
}

/**
 * R2, R14, R16: under the device's new id everything held and not known to be in the log is queued again, in its order, with its stamp. A kept
 * op comes back only in another universe than the one that acknowledged it.
 */
export function queueAgain(cx: ClientContext, state: ChannelState, formers: readonly KnownClient[]): void {
  const isNewEpoch = state.logEpoch !== cx.device.logEpoch;
  const known = new Map(formers.map((former) => [former.clientId, former]));
  const isInLog = (entry: OutboxEntry): boolean => entry.seq <= (known.get(entry.clientId)?.lmid ?? 0);
  const isStillKept = (entry: KeptEntry): boolean => isInLog(entry) && !isRefused(known.get(entry.clientId), entry);
  if (isNewEpoch) for (const entry of state.outbox) entry.settled = undefined;
  for (const former of formers) settle(cx, state, former);
  const isStaying = ({ stored, settled }: PendingEntry): boolean => settled !== undefined || (isNewEpoch && isInLog(stored));
  const stays = state.outbox.filter(isStaying);
  const comesBack = isNewEpoch ? state.kept.filter((entry) => !isStillKept(entry)) : [];
  const again = [...comesBack, ...state.outbox.filter((entry) => !isStaying(entry)).map(({ stored }) => stored)].sort(
    (a, b) => a.id - b.id,
  );
  for (const { id } of comesBack) cx.step.write({ type: 'kept-delete', channel: state.channel, id });
  if (isNewEpoch) state.kept = state.kept.filter(isStillKept);
  state.clientId = cx.device.clientId;
  state.everSent = false;
  const queued = again.map((entry, index): PendingEntry => {
    const op = entry.sent && !cx.ablations['requeue-keeps-create'] ? withoutCreate(entry.op) : entry.op;
    const { id, channel, hlc, subject, schemaVersion, origin = { clientId: entry.clientId, seq: entry.seq } } = entry;
    const first = cx.ablations['requeue-without-origin'] ? {} : { origin };
    const stored = { id, channel, op, hlc, subject, schemaVersion, ...first, clientId: cx.device.clientId, seq: index + 1, sent: false };
    writeEntry(cx, stored);
    return { stored, settled: undefined };
  });
  state.nextSeq = queued.length + 1;
  state.outbox = [...stays, ...queued].sort((a, b) => a.stored.id - b.stored.id);
  writeChannel(cx, state);
}

/** A log may have refused what another one, which lost its end since, accepted: of two outcomes under one seq only one is known. */
export function isRefused(known: KnownClient | undefined, { seq }: OutboxEntry): boolean {
  return known?.rejected.some((rejection) => rejection.seq === seq) === true;
}

/** It may be in the log already, and its key may have been deleted since: it must not come back as if it were new (R8). */
function withoutCreate(op: Op): Op {
  if (op.type === 'put') return op.create ? { ...op, create: false } : op;
  if (op.type !== 'batch') return op;
  return { ...op, ops: op.ops.map((single) => (single.type === 'put' && single.create ? { ...single, create: false } : single)) };
}

/**
 * R9: the bounced entry gets a stamp above the leader's HLC, and with it the later ones on the same keys and those still ahead, in their order,
 * each above every entry before it. And above what the channel's log has shown here: a bounce may come late, and a download, which does not travel
 * with it, may have shown more meanwhile than the leader knew when it answered.
 */
export function restamp(
  cx: ClientContext,
  state: ChannelState,
  bounce: { readonly seq: number; readonly hlc: Timestamp; readonly clock: number; readonly maxAheadMs: number },
): void {
  const start = state.outbox.findIndex(({ stored }) => stored.clientId === cx.device.clientId && stored.seq === bounce.seq);
  if (start < 0) return;
  const limit = (bounce.clock + bounce.maxAheadMs) * TICKS_PER_MS;
  const keys = new Set(keysOf(state.outbox[start]!.stored.op));
  const seen = cx.ablations['restamp-below-seen'] ? 0 : state.seenHlc;
  const shownOrKnown = cx.ablations['restamp-wall-clock'] ? 0 : Math.max(bounce.hlc, seen);
  let last: number = Math.max(shownOrKnown, bounce.clock * TICKS_PER_MS);
  const ids: number[] = [];
  for (const entry of state.outbox.slice(start)) {
    const { stored } = entry;
    if (entry.settled !== undefined) continue;
    const isFirst = stored.seq === bounce.seq;
    const touches = !cx.ablations['restamp-one'] && keysOf(stored.op).some((key) => keys.has(key));
    if (!isFirst && !touches && stored.hlc <= limit) {
      last = Math.max(last, stored.hlc);
      continue;
    }
    last += 1;
    for (const key of keysOf(stored.op)) keys.add(key);
    entry.stored = { ...stored, hlc: last as Timestamp };
    writeEntry(cx, entry.stored);
    ids.push(stored.id);
  }
  // A clock that ran ahead is put back: stamps given out on this channel are above it again, and `newestStamp` guards the other channels.
  setDevice(cx, { hlc: last as Timestamp });
  follow(cx, newestStamp(state));
  cx.step.after({ type: 'restamped', channel: state.channel, ids });
}
