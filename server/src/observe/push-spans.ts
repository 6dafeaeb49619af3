import type { Span } from '@terndb/core';
import type { ChannelRequest, Principal, ServerMessage } from '@terndb/sync';
import type { NodeSession, ServerNode, TracedPush } from '../node/types.ts';
import { withMethods } from '../node/with-methods.ts';
import type { Traces } from './traces.ts';

/** Pushes of one socket that wait for their answer; the oldest beyond them is given up: its leader does not answer any more. */
const MAX_WAITING = 1_024;
/** One of them answers each push, in the order of the pushes. */
const ANSWERS: ReadonlySet<string> = new Set(['ack', 'gap', 'restamp', 'unknown-client', 'busy', 'denied']);
/** All that were pushed under this subscription. */
const ENDS: ReadonlySet<string> = new Set(['ended', 'gone']);

type Push = Extract<ChannelRequest, { type: 'push' }>;

/** The node with a trace of its own for each sampled push of a device, from its arrival to its answer. */
export function withPushSpans(node: ServerNode, traces: Traces): ServerNode {
  return withMethods(node, {
    openSession: (session, send) => {
      const traced = new TracedSession(traces, node.catalog);
      traced.session = node.openSession(session, (message) => {
        traced.answered(message);
        send(message);
      });
      return traced;
    },
  });
}

interface Waiting {
  readonly channel: string;
  readonly subscription: number;
  /** Undefined: it is not sampled, and has its place in the order. */
  readonly traced: TracedPush | undefined;
}

class TracedSession implements NodeSession {
  /** Set once, before anything is routed. */
  session: NodeSession | undefined;
  readonly #traces: Traces;
  readonly #catalog: Pick<ServerNode['catalog'], 'placeOf'>;
  /** Oldest first. */
  readonly #waiting: Waiting[] = [];
  /** What is answered while it is routed answers this one: what came before it waits for an append. */
  #routed: Waiting | undefined;

  constructor(traces: Traces, catalog: Pick<ServerNode['catalog'], 'placeOf'>) {
    this.#traces = traces;
    this.#catalog = catalog;
  }

  route(principal: Principal, message: ChannelRequest): void {
    if (message.type !== 'push') {
      this.session!.route(principal, message);
      return;
    }
    const { channel, subscription } = message;
    const waiting: Waiting = { channel, subscription, traced: this.#begin(message) };
    this.#waiting.push(waiting);
    if (this.#waiting.length > MAX_WAITING) end(this.#waiting.shift()!, { answer: 'none' });
    this.#routed = waiting;
    try {
      this.session!.route(principal, message, waiting.traced);
    } finally {
      this.#routed = undefined;
    }
  }

  close(): void {
    for (const waiting of this.#waiting.splice(0)) end(waiting, { answer: 'closed' });
    this.session!.close();
  }

  answered(message: ServerMessage): void {
    if (this.#waiting.length === 0 || !('channel' in message)) return;
    const { type, channel, subscription } = message;
    const isOf = (one: Waiting): boolean => one.channel === channel && one.subscription === subscription;
    if (ENDS.has(type)) {
      for (const waiting of this.#waiting.filter(isOf)) this.#end(waiting, { answer: type });
      return;
    }
    if (!ANSWERS.has(type)) return;
    const waiting = this.#routed !== undefined && isOf(this.#routed) ? this.#routed : this.#waiting.find(isOf);
    if (waiting === undefined) return;
    const rejected = message.type === 'ack' ? { rejected: message.rejected.length } : {};
    this.#end(waiting, { answer: type, ...rejected });
    if (waiting === this.#routed) this.#routed = undefined;
  }

  #begin({ channel, records }: Push): TracedPush | undefined {
    const { database = '', collection = '', partition = '' } = this.#catalog.placeOf(channel) ?? {};
    const span = this.#traces.begin('push', undefined, { type: 'push', database, collection, partition, ops: records.length });
    return span && { span, isAnswered: false };
  }

  #end(waiting: Waiting, attributes: Parameters<Span['set']>[0]): void {
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    end(waiting, attributes);
  }
}

function end({ traced }: Waiting, attributes: Parameters<Span['set']>[0]): void {
  if (traced === undefined) return;
  traced.isAnswered = true;
  traced.leaderAppend?.end();
  traced.span.set(attributes);
  traced.span.end();
}
