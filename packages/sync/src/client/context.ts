import type { Timestamp } from '@terndb/core';
import type { Ablations } from '../ablations.ts';
import { type ChannelState, recordOf } from './channel-state.ts';
import type { DeviceRecord, OutboxEntry } from './durable.ts';
import type { Step } from './step.ts';
import type { ClientOptions } from './types.ts';

/** What the parts of the client machine share during a step. */
export interface ClientContext {
  readonly options: ClientOptions;
  readonly ablations: Ablations;
  device: DeviceRecord;
  step: Step;
  /** The welcomed socket; undefined while there is none. */
  socket: number | undefined;
  /** Pushing and subscribing are on: welcomed, not draining. */
  isOpen: boolean;
  nextSubscription: number;
  nextFetch: number;
  /** The server's wall clock at a monotonic time of ours. */
  serverClock: { readonly wallMs: number; readonly monotonicMs: number } | undefined;
  /** A new client id was taken: this connection is to end. */
  mustReconnect: boolean;
}

/** Wall clock, the server's as far as it is known (R9 then has nothing to bounce). */
export function wallMs(cx: ClientContext): number {
  const { now } = cx.step;
  return cx.serverClock === undefined ? now.wallMs : cx.serverClock.wallMs + now.monotonicMs - cx.serverClock.monotonicMs;
}

export function setDevice(cx: ClientContext, change: Partial<DeviceRecord>): void {
  cx.device = { ...cx.device, ...change };
  cx.step.write({ type: 'device', device: cx.device });
}

/**
 * R10. What is in the log was let in by R9, so it is followed whatever this device's clock says. Durable
 * with the replica that has shown it.
 */
export function follow(cx: ClientContext, hlc: Timestamp, state?: ChannelState): void {
  if (state !== undefined && hlc > state.seenHlc) state.seenHlc = hlc;
  if (hlc > cx.device.hlc) cx.device = { ...cx.device, hlc };
}

export function writeChannel(cx: ClientContext, state: ChannelState): void {
  cx.step.write({ type: 'channel', record: recordOf(state) });
}

export function writeEntry(cx: ClientContext, entry: OutboxEntry): void {
  cx.step.write({ type: 'outbox', entry });
}

/** R2, R14, R15: what is held is queued again when each channel has said what the log knows of the old id. */
export function newIdentity(cx: ClientContext, logEpoch: string | null = cx.device.logEpoch): void {
  if (cx.mustReconnect) return;
  let clientId = '';
  while (clientId.length < 26) clientId += cx.options.rng.nextUint32().toString(36);
  setDevice(cx, { clientId: clientId.slice(0, 26), logEpoch });
  cx.mustReconnect = true;
}
