import type { ChannelAnswer, ChannelRequest, Principal, ServerMessage } from '@terndb/sync';
import type { ChannelTable } from './channels/channel-table.ts';
import type { NodeChannel } from './channels/node-channel.ts';
import type { SlotLeader } from './leader/slot-leader.ts';
import type { NodeSession, TracedPush } from './types.ts';

/** What a client that cannot be served now waits for. */
const BUSY_RETRY_MS = 1_000;

export interface SessionsOptions {
  readonly channels: ChannelTable;
  readonly leaders: readonly SlotLeader[];
  /** Whether no push of this channel can be taken now. */
  readonly isBusy: (channel: NodeChannel) => boolean;
}

interface OpenSession {
  readonly send: (message: ServerMessage) => void;
  /** Leaders that know of it. */
  readonly slots: Set<number>;
  /** Channel → its newest subscription. */
  readonly subscriptions: Map<string, number>;
}

interface Routed {
  readonly principal: Principal;
  readonly message: ChannelRequest;
  readonly traced: TracedPush | undefined;
}

/** Between the connections of the access layer and the leaders of the slots. Per session: a callback and a few numbers. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, OpenSession>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#sessions.size;
  }

  open(session: string, send: (message: ServerMessage) => void): NodeSession {
    const opened: OpenSession = { send, slots: new Set(), subscriptions: new Map() };
    this.#sessions.set(session, opened);
    return {
      route: (principal, message, traced) => {
        if (this.#sessions.get(session) === opened) this.#route(opened, { principal, message, traced });
      },
      close: () => {
        if (this.#sessions.get(session) !== opened) return;
        this.#sessions.delete(session);
        for (const slot of opened.slots) this.#options.leaders[slot]!.event({ type: 'session-closed', session });
      },
    };
  }

  deliver(session: string, message: ChannelAnswer): void {
    const opened = this.#sessions.get(session);
    if (opened === undefined) return;
    opened.send(message);
    if (message.type !== 'subscribed') return;
    const { channel, subscription } = message;
    opened.subscriptions.set(channel, subscription);
    const schemaVersion = this.#options.channels.find(channel)?.channel.collection.schemaVersion;
    if (schemaVersion !== undefined) opened.send({ type: 'altered', channel, subscription, schemaVersion });
  }

  /** The channel shows itself under this version of its schema now. */
  altered(channel: string, schemaVersion: number): void {
    for (const { send, subscriptions } of this.#sessions.values()) {
      const subscription = subscriptions.get(channel);
      if (subscription !== undefined) send({ type: 'altered', channel, subscription, schemaVersion });
    }
  }

  #route(opened: OpenSession, { principal, message, traced }: Routed): void {
    const { channel: name, subscription } = message;
    const channel = this.#options.channels.find(name);
    if (channel === undefined) {
      opened.send({ type: 'gone', channel: name, subscription });
      return;
    }
    const isDamaged = channel.channel.damage !== undefined;
    const isFailing = this.#options.leaders[channel.slot]!.trouble !== undefined;
    if (message.type === 'push' && (isDamaged || isFailing || this.#options.isBusy(channel))) {
      opened.send({ type: 'busy', channel: name, subscription, retryMs: BUSY_RETRY_MS });
      return;
    }
    // What a damaged channel has lost must not look like an empty one: nobody is told anything, and devices keep what they have.
    if (message.type === 'subscribe' && isDamaged) return;
    opened.slots.add(channel.slot);
    const leader = this.#options.leaders[channel.slot]!;
    if (message.type === 'unsubscribe') opened.subscriptions.delete(name);
    if (message.type === 'subscribe') leader.event({ type: 'subscribe', principal, message });
    else if (message.type === 'push') leader.push(principal, message, traced);
    else leader.event({ ...message, session: principal.session });
  }
}
