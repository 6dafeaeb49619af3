import { type CollectionDefinition, newClientId, type Op, type Rng, schemaHash, type Timestamp, ZERO_HASH } from '@terndb/core';
import {
  type ClientEffect,
  type ClientEvent,
  ClientMachine,
  type ClientMessage,
  type DeviceRecord,
  decodeMessage,
  encodeMessage,
  type ResolveAnswer,
  type ServerMessage,
  type StoreWrite,
} from '@terndb/sync';
import { WebSocket } from 'ws';
import { tokenFor } from './server-process.ts';

type Frame = Extract<StoreWrite, { type: 'frame' }>['frame'];

export interface DeviceOptions {
  /** Of the sync endpoint, over HTTP. */
  readonly url: string;
  readonly channel: string;
  readonly subject: string;
  readonly rng: Rng;
  /** The device has applied it. */
  readonly onFrame?: (frame: Frame) => void;
  readonly onAcked?: () => void;
}

/** The channel of one collection and partition; both are made when they are not there. */
export async function resolveChannel(
  url: string,
  of: { name: string; definition: CollectionDefinition; partition: string },
): Promise<string> {
  const { name, definition, partition } = of;
  const response = await fetch(`${url}/v1/resolve`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokenFor('bench')}` },
    body: JSON.stringify({
      collections: [{ name, definition, schemaHash: schemaHash(definition), schemaVersion: 1 }],
      partitions: [partition],
    }),
  });
  if (!response.ok) throw new Error(`resolve: ${response.status} ${await response.text()}`);
  const { channels } = (await response.json()) as ResolveAnswer;
  const found = channels.find((one) => one.collection === name && one.partition === partition);
  if (found === undefined) throw new Error(`resolve: a channel of ${name} in ${partition} expected`);
  return found.channel;
}

/**
 * A device with the real client machine on a real WebSocket. Its database is memory: a batch is durable in the next turn of the event loop. Of
 * the replica it keeps the position alone, so that one process can be many devices; so it never meets a log that was cut behind it.
 */
export class SimulatedDevice {
  readonly #options: DeviceOptions;
  readonly #machine: ClientMachine;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #events: ClientEvent[] = [];
  #batches: Extract<ClientEffect, { type: 'persist' }>[] = [];
  #socket: { readonly id: number; readonly socket: WebSocket } | undefined;
  readonly #clientId: string;
  #position = 0;
  #request = 0;
  #isClosed = false;
  failure: string | undefined;

  constructor(options: DeviceOptions) {
    this.#options = options;
    const { rng, channel } = options;
    const device: DeviceRecord = { clientId: newClientId(rng), subject: '', logEpoch: null, hlc: 0 as Timestamp, nextId: 1 };
    this.#machine = new ClientMachine({
      rng,
      channels: [channel],
      replicaOf: () => (this.#position === 0 ? undefined : { position: this.#position, hash: ZERO_HASH }),
    });
    const { clientId } = device;
    this.#clientId = clientId;
    const record = { channel, clientId, nextSeq: 1, everSent: false, logEpoch: null, position: 0, maxHlc: 0 as Timestamp };
    this.#event({ type: 'elected', term: 1, durable: { device, channels: [{ ...record, outbox: [], kept: [] }] } });
    this.#event({ type: 'start' });
  }

  get isLive(): boolean {
    return this.#machine.link === 'live';
  }

  get clientId(): string {
    return this.#clientId;
  }

  get position(): number {
    return this.#position;
  }

  /** Writes that the log has not confirmed. */
  get held(): number {
    return this.#machine.outbox(this.#options.channel).length;
  }

  write(op: Op): void {
    this.#request += 1;
    this.#event({ type: 'write', request: this.#request, channel: this.#options.channel, op });
  }

  writeMany(ops: readonly Op[]): void {
    this.#request += 1;
    const { channel } = this.#options;
    this.#event({ type: 'write-batch', request: this.#request, writes: ops.map((op) => ({ channel, op })) });
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#socket?.socket.terminate();
  }

  /** One after the other: the effects of a step are performed before the next one. */
  #event(event: ClientEvent): void {
    this.#events.push(event);
    if (this.#events.length > 1) return;
    for (let next = this.#events[0]; next !== undefined && !this.#isClosed; next = this.#events[0]) {
      for (const effect of this.#machine.step(next, { wallMs: Date.now(), monotonicMs: performance.now() })) this.#perform(effect);
      this.#events.shift();
    }
  }

  #perform(effect: ClientEffect): void {
    switch (effect.type) {
      case 'persist':
        this.#batches.push(effect);
        if (this.#batches.length === 1) setImmediate(() => this.#commit());
        return;
      case 'connect':
        this.#connect(effect.socket);
        return;
      case 'disconnect':
        this.#socket?.socket.close();
        return;
      case 'send':
        if (this.#socket?.id === effect.socket) this.#socket.socket.send(encodeMessage(effect.message satisfies ClientMessage));
        return;
      case 'get-token': {
        const { subject } = this.#options;
        setImmediate(() => this.#event({ type: 'token', token: tokenFor(subject), subject, expiresInMs: 3_600_000 }));
        return;
      }
      case 'fetch':
        if (effect.offer !== undefined) throw new Error('simulated device: a whole log expected, got a manifest');
        setImmediate(() => {
          const known = effect.clientIds.map((clientId) => ({ clientId, lmid: 0, position: 0, rejected: [] }));
          const snapshot = { position: 0, maxHlc: 0 as Timestamp, known };
          this.#event({ type: 'fetched', channel: effect.channel, fetch: effect.fetch, snapshot });
        });
        return;
      case 'stage':
        this.#applied(effect.frame);
        return;
      case 'timer': {
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          this.#event({ type: 'timer', timer: effect.timer });
        }, effect.delayMs);
        this.#timers.add(timer);
        return;
      }
      case 'acked':
        this.#options.onAcked?.();
        return;
      case 'rejected':
      case 'denied':
      case 'gone':
      case 'write-failed':
        this.failure ??= JSON.stringify(effect);
        return;
      default:
    }
  }

  #commit(): void {
    const batches = this.#batches;
    this.#batches = [];
    if (this.#isClosed) return;
    for (const { batch, writes } of batches) {
      for (const write of writes) if (write.type === 'frame') this.#applied(write.frame);
      this.#event({ type: 'persisted', batch });
    }
  }

  #applied(frame: Frame): void {
    this.#position = frame.base + frame.records.length - 1;
    this.#options.onFrame?.(frame);
  }

  #connect(id: number): void {
    const socket = new WebSocket(this.#options.url.replace('http', 'ws'), { perMessageDeflate: false });
    this.#socket = { id, socket };
    socket.on('open', () => this.#event({ type: 'socket-open', socket: id }));
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket?.id === id) this.#socket = undefined;
      this.#event({ type: 'socket-closed', socket: id });
    });
    socket.on('message', (data: Buffer) => {
      const message = decodeMessage(data) as ServerMessage | undefined;
      if (message !== undefined) this.#event({ type: 'message', socket: id, message, bytes: data.length });
    });
  }
}
