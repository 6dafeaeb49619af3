import { FRAME_BYTES_TARGET, opBytesBound } from '@terndb/core';
import { BUSY_RETRY_MS } from '../limits.ts';
import type { ChannelAnswer, Push } from '../protocol.ts';
import { ChannelPlan, type PushOutcome } from './plan.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { LeaderEffect, LeaderEvent, LeaderOptions, LogEntryFrame, Principal } from './types.ts';

export interface WaitingPush {
  readonly type: 'push';
  readonly principal: Principal;
  readonly message: Push;
}
export type WaitingWrite = Extract<LeaderEvent, { type: 'write' }>;
export type Waiting = WaitingPush | WaitingWrite;

/** What goes into one append, and what is answered when it is durable (R17). */
export interface Group {
  readonly entries: LogEntryFrame[];
  readonly replies: LeaderEffect[];
  /** Server's own writes that are in `entries`: their outcome is unknown until the append's is known. */
  readonly requests: number[];
  /** Channel → bytes of its ops. */
  readonly bytes: Map<string, number>;
}

/** Takes what waits, in order, up to the bound of a frame. `waiting` loses what was taken. */
export function planGroup(
  waiting: Waiting[],
  context: { readonly options: LeaderOptions; readonly subscriptions: Subscriptions; readonly nowMs: number },
): Group {
  const plans = new Map<string, ChannelPlan>();
  const group: Group = { entries: [], replies: [], requests: [], bytes: new Map() };
  while (waiting.length > 0) {
    const next = waiting[0]!;
    const channel = next.type === 'push' ? next.message.channel : next.channel;
    const size = (group.bytes.get(channel) ?? 0) + bytesOf(next);
    if (size > FRAME_BYTES_TARGET && group.bytes.has(channel)) break;
    group.bytes.set(channel, size);
    waiting.shift();
    const plan = plans.get(channel) ?? new ChannelPlan(context.options, channel, context.nowMs);
    plans.set(channel, plan);
    if (next.type === 'push') takePush(group, plan, next, context);
    else takeWrite(group, plan, next);
  }
  for (const plan of plans.values()) if (plan.records.length > 0) group.entries.push(plan.frame());
  return group;
}

function bytesOf(waiting: Waiting): number {
  if (waiting.type === 'write') return waiting.ops.reduce((sum, op) => sum + opBytesBound(op), 0);
  return waiting.message.records.reduce((sum, { op }) => sum + opBytesBound(op), 0);
}

function takeWrite({ replies, requests }: Group, plan: ChannelPlan, write: WaitingWrite): void {
  const { request } = write;
  const outcome = plan.write(write);
  if (typeof outcome === 'string') {
    replies.push({ type: 'write-refused', request, code: outcome });
    return;
  }
  requests.push(request);
  replies.push({ type: 'written', request, position: outcome.position, hlc: outcome.hlc });
}

function takePush(
  { replies }: Group,
  plan: ChannelPlan,
  { principal, message }: WaitingPush,
  { options, subscriptions, nowMs }: Parameters<typeof planGroup>[1],
): void {
  const { channel, subscription, records } = message;
  const { session } = principal;
  const isFenced = !options.ablations?.['no-subscription-fence'];
  // R18: an answer before this one may have ended it.
  const current = subscriptions.get(session, channel, subscription);
  if (current === undefined && isFenced) {
    replies.push({ type: 'reply', session, message: { type: 'ended', channel, subscription, reason: 'not-subscribed' } });
    return;
  }
  const outcome = plan.push(principal, records, current?.knownSeq ?? 0);
  if (outcome.type === 'restamp' && current !== undefined && isFenced) subscriptions.end(current);
  replies.push({ type: 'reply', session, message: answerOf(outcome, channel, subscription, nowMs) });
}

function answerOf(outcome: PushOutcome, channel: string, subscription: number, nowMs: number): ChannelAnswer {
  switch (outcome.type) {
    case 'ack':
      return { ...outcome, channel, subscription };
    case 'restamp':
      return { ...outcome, channel, subscription, clock: Math.floor(nowMs) };
    case 'gap':
      return { ...outcome, channel, subscription };
    case 'unknown-client':
      return { type: 'unknown-client', channel, subscription };
    case 'busy':
      return { type: 'busy', channel, subscription, retryMs: BUSY_RETRY_MS };
    case 'subject':
      return { type: 'denied', channel, subscription, access: 'write' };
  }
}
