import {
  type Clock,
  type CollectionDefinition,
  newClientId,
  type Op,
  type PrimaryKey,
  type Rng,
  type StoredFields,
  type Timestamp,
} from '@terndb/core';
import { emptyReplica, openReplica, type Replica, readManifest, SegmentPool } from '@terndb/engine/parts';
import type { Kernel } from '@terndb/kernel';
import {
  type ChannelRecord,
  type ClientEffect,
  type ClientEvent,
  ClientMachine,
  type ClientMessage,
  type DeviceRecord,
  type DurableState,
  decodeMessage,
  encodeMessage,
  type KeptEntry,
  type KnownClient,
  type OutboxEntry,
  type RejectedEntry,
  type ServerMessage,
  type SessionEffect,
  type SessionEvent,
  SessionMachine,
  type StoreWrite,
} from '@terndb/sync';
import { systemClock } from '../../adapters/s3/system.ts';
import type { NodeSession, ServerNode } from '../types.ts';

const TOKEN_MS = 3_600_000;
let sessions = 0;

export interface TestDeviceOptions {
  readonly node: () => ServerNode;
  readonly kernel: Kernel;
  readonly rng: Rng;
  readonly subject: string;
  readonly definition: CollectionDefinition;
  readonly channels: readonly string[];
  readonly canWrite?: boolean;
  /** Its wall clock; that of its connection is the machine's. */
  readonly clock?: Pick<Clock, 'nowMs'>;
  /** One way. */
  readonly delayMs?: number;
}

interface StoredChannel {
  record: ChannelRecord;
  replica: Replica;
  readonly outbox: Map<number, OutboxEntry>;
  readonly kept: Map<number, KeptEntry>;
}

/**
 * A device with a real client machine, a real session machine and the real codec between, on a socket in this process. What IndexedDB would
 * hold is held in memory, and survives `reconnect`.
 */
export class TestDevice {
  readonly rejected: RejectedEntry[] = [];
  readonly gone: string[] = [];
  readonly denied: string[] = [];
  readonly statuses: string[] = [];
  readonly bootstraps: string[] = [];
  /** Of its collections, as the server said them. */
  readonly schemaVersions: number[] = [];
  acked = 0;
  divergences = 0;
  readonly #options: TestDeviceOptions;
  readonly #machine: ClientMachine;
  readonly #stored = new Map<string, StoredChannel>();
  readonly #staged = new Map<string, Replica>();
  readonly #timers = new Set<() => void>();
  #device: DeviceRecord;
  #socket: { readonly id: number; readonly close: () => void; readonly send: (message: ClientMessage) => void } | undefined;
  readonly #events: ClientEvent[] = [];
  #request = 0;
  #isClosed = false;

  constructor(options: TestDeviceOptions) {
    this.#options = options;
    const clientId = newClientId(options.rng);
    this.#device = { clientId, subject: '', logEpoch: null, hlc: 0 as Timestamp, nextId: 1 };
    for (const channel of options.channels) this.#stored.set(channel, this.#emptyChannel(channel));
    this.#machine = new ClientMachine({
      rng: options.rng,
      channels: options.channels,
      replicaOf: (channel) => this.#stored.get(channel)?.replica,
    });
    this.#event({ type: 'elected', term: 1, durable: this.#read() });
    this.#event({ type: 'start' });
  }

  get link(): string {
    return this.#machine.link;
  }

  get clientId(): string {
    return this.#device.clientId;
  }

  held(channel: string): number {
    return this.#machine.outbox(channel).length;
  }

  replica(channel: string): Replica {
    return this.#stored.get(channel)!.replica;
  }

  /** What the log has confirmed, by key. */
  rows(channel: string): Record<string, StoredFields> {
    const { definition } = this.#options;
    const replica = this.replica(channel);
    const rows: [string, StoredFields][] = [];
    for (const { source, live } of replica.entities.blocks) {
      for (let offset = 0; offset < source.rows; offset++) {
        if (!live.has(offset)) continue;
        const pk = source.keyAt(offset);
        const fields = Object.fromEntries(
          definition.fields.slice(1).map((field) => [field.name, source.valueAt(field.name, offset)]),
        ) as StoredFields;
        rows.push([String(pk), fields]);
      }
    }
    return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Keys that a reader of this moment sees, without what the log has not confirmed; ascending. */
  shown(channel: string): string[] {
    const view = this.replica(channel).view((this.#options.clock ?? systemClock).nowMs());
    const keys: string[] = [];
    for (const block of view.blocks) {
      for (let offset = 0; offset < block.rows; offset++)
        if (((block.live[offset >>> 5]! >>> (offset & 31)) & 1) === 1) keys.push(String(block.keyAt(offset)));
    }
    view.release();
    return keys.sort();
  }

  write(channel: string, op: Op): void {
    this.#request += 1;
    this.#event({ type: 'write', request: this.#request, channel, op });
  }

  put(channel: string, pk: PrimaryKey, fields: StoredFields): void {
    this.write(channel, { type: 'put', pk, fields, create: true });
  }

  /** Asks again for what was denied. */
  retry(channel: string): void {
    this.#event({ type: 'retry-denied', channel });
  }

  /** The network goes; the machine comes back by itself, at once with `reconnect`. */
  cut(): void {
    this.#socket?.close();
  }

  close(): void {
    this.#isClosed = true;
    this.cut();
    for (const cancel of this.#timers) cancel();
    for (const { replica } of this.#stored.values()) replica.retire();
  }

  /** One after the other: the effects of a step are performed before the next one. */
  #event(event: ClientEvent): void {
    this.#events.push(event);
    if (this.#events.length > 1) return;
    for (let next = this.#events[0]; next !== undefined && !this.#isClosed; next = this.#events[0]) {
      if (next.type === 'message' && next.message.type === 'altered') this.schemaVersions.push(next.message.schemaVersion);
      const now = { wallMs: (this.#options.clock ?? systemClock).nowMs(), monotonicMs: systemClock.monotonicMs() };
      for (const effect of this.#machine.step(next, now)) this.#perform(effect);
      this.#events.shift();
    }
  }

  #later(delayMs: number, run: () => void): void {
    const cancel = systemClock.after(delayMs, () => {
      this.#timers.delete(cancel);
      if (!this.#isClosed) run();
    });
    this.#timers.add(cancel);
  }

  #perform(effect: ClientEffect): void {
    switch (effect.type) {
      case 'persist':
        this.#later(0, () => {
          const diverged = this.#commit(effect.writes);
          this.#event({ type: 'persisted', batch: effect.batch });
          for (const channel of diverged) this.#event({ type: 'diverged', channel });
        });
        return;
      case 'connect':
        this.#later(this.#options.delayMs ?? 1, () => this.#connect(effect.socket));
        return;
      case 'disconnect':
        this.#socket?.close();
        return;
      case 'send':
        if (this.#socket?.id === effect.socket) this.#socket.send(effect.message);
        return;
      case 'get-token':
        this.#later(0, () => {
          const { subject } = this.#options;
          this.#event({ type: 'token', token: subject, subject, expiresInMs: TOKEN_MS });
        });
        return;
      case 'fetch':
        this.#fetch(effect).catch(() => this.#event({ type: 'fetch-failed', channel: effect.channel, fetch: effect.fetch }));
        return;
      case 'stage':
        this.#staged.get(`${effect.channel} ${effect.fetch}`)?.applyFrame(effect.frame);
        return;
      case 'drop-fetch':
        this.#staged.get(`${effect.channel} ${effect.fetch}`)?.retire();
        this.#staged.delete(`${effect.channel} ${effect.fetch}`);
        return;
      case 'timer':
        this.#later(effect.delayMs, () => this.#event({ type: 'timer', timer: effect.timer }));
        return;
      case 'acked':
        this.acked += 1;
        return;
      case 'gone':
        this.gone.push(effect.channel);
        return;
      case 'denied':
        this.denied.push(effect.access);
        return;
      case 'status':
        this.statuses.push(`${effect.link}${effect.detail === undefined ? '' : ` ${effect.detail}`}`);
        return;
      default:
    }
  }

  /* ---------- storage ---------- */
  #emptyChannel(channel: string): StoredChannel {
    const record = { channel, clientId: this.#device.clientId, nextSeq: 1, everSent: false, logEpoch: null };
    return { record, replica: this.#emptyReplica(channel), outbox: new Map(), kept: new Map() };
  }

  #emptyReplica(channel: string, logEpoch = ''): Replica {
    const { definition, kernel } = this.#options;
    return emptyReplica({ channel, definition, kernel, logEpoch });
  }

  #read(): DurableState {
    const channels = [...this.#stored.values()].map(({ record, replica, outbox, kept }) => {
      const { position, maxHlc } = replica;
      return { ...record, position, maxHlc, outbox: [...outbox.values()], kept: [...kept.values()] };
    });
    return { device: this.#device, channels };
  }

  #commit(writes: readonly StoreWrite[]): string[] {
    const diverged: string[] = [];
    for (const write of writes) {
      switch (write.type) {
        case 'device':
          this.#device = write.device;
          break;
        case 'channel':
          this.#stored.get(write.record.channel)!.record = write.record;
          break;
        case 'outbox':
          this.#stored.get(write.entry.channel)!.outbox.set(write.entry.id, write.entry);
          break;
        case 'outbox-delete':
          this.#stored.get(write.channel)!.outbox.delete(write.id);
          break;
        case 'kept':
          this.#stored.get(write.entry.channel)!.kept.set(write.entry.id, write.entry);
          break;
        case 'kept-delete':
          this.#stored.get(write.channel)!.kept.delete(write.id);
          break;
        case 'rejected':
          this.rejected.push(write.entry);
          break;
        case 'frame': {
          const { replica } = this.#stored.get(write.channel)!;
          const before = replica.divergences;
          replica.applyFrame(write.frame);
          if (replica.divergences > before) diverged.push(write.channel);
          break;
        }
        case 'swap': {
          const stored = this.#stored.get(write.channel)!;
          const key = `${write.channel} ${write.fetch}`;
          stored.replica.retire();
          stored.replica = this.#staged.get(key)!;
          this.#staged.delete(key);
          break;
        }
      }
    }
    this.divergences += diverged.length;
    return diverged;
  }

  /* ---------- network ---------- */
  #connect(id: number): void {
    const { delayMs = 1, subject, canWrite = true } = this.#options;
    const node = this.#options.node();
    sessions += 1;
    const session = `s${sessions}`;
    const machine = new SessionMachine({ session, logEpoch: node.logEpoch });
    let server: NodeSession | undefined;
    let isOpen = true;
    const grants = { subject, expiresAtMs: systemClock.nowMs() + TOKEN_MS, canRead: () => true, canWrite: () => canWrite };
    const close = (): void => {
      if (!isOpen) return;
      isOpen = false;
      step({ type: 'closed' });
      server?.close();
      if (this.#socket?.id === id) this.#socket = undefined;
      this.#later(0, () => this.#event({ type: 'socket-closed', socket: id }));
    };
    const toClient = (message: ServerMessage): void => {
      const bytes = encodeMessage(message);
      this.#later(delayMs, () => {
        if (isOpen) this.#event({ type: 'message', socket: id, message: decodeMessage(bytes) as ServerMessage, bytes: bytes.length });
      });
    };
    const step = (event: SessionEvent): void => {
      for (const effect of machine.step(event, systemClock.nowMs())) perform(effect);
    };
    const perform = (effect: SessionEffect): void => {
      if (effect.type === 'send') toClient(effect.message);
      else if (effect.type === 'close') this.#later(delayMs, close);
      else if (effect.type === 'verify') this.#later(0, () => step({ type: 'verified', verify: effect.verify, grants }));
      else if (effect.type === 'route') server?.route(effect.principal, effect.message);
    };
    try {
      server = node.openSession(session, (message) => step({ type: 'answer', message }));
    } catch {
      close();
      return;
    }
    const send = (message: ClientMessage): void => {
      const bytes = encodeMessage(message);
      this.#later(delayMs, () => {
        if (isOpen) step({ type: 'message', message: decodeMessage(bytes) as ClientMessage });
      });
    };
    this.#socket = { id, close, send };
    this.#event({ type: 'socket-open', socket: id });
  }

  /** As the downloader does: the manifest as this client may see it, then everything it names. */
  async #fetch({ channel, fetch, offer, clientIds }: Extract<ClientEffect, { type: 'fetch' }>): Promise<void> {
    const node = this.#options.node();
    const { definition, kernel } = this.#options;
    let replica = this.#emptyReplica(channel, node.logEpoch);
    if (offer !== undefined) {
      const name = new TextDecoder().decode(offer.reference);
      const bytes = await node.clientManifest(channel, name, clientIds);
      if (bytes === undefined) throw new Error(`manifest ${name} is gone`);
      const manifest = readManifest(bytes, name);
      const head = async (of: string) => {
        const found = await node.headObject(of);
        return found && { name: of, bytes: found.bytes };
      };
      const objects = {
        put: () => Promise.reject(new Error('read only')),
        delete: () => Promise.resolve(),
        list: () => Promise.resolve([]),
        head,
        read: async (of: string, offset: number, length: number) =>
          (await node.readObject(of, offset, length)) as Uint8Array<ArrayBuffer> | undefined,
      };
      const pool = new SegmentPool(objects, kernel);
      replica = await openReplica({ channel, logEpoch: node.logEpoch, definition, kernel, objects, pool, manifest });
      this.bootstraps.push(name);
    }
    this.#staged.set(`${channel} ${fetch}`, replica);
    const known = clientIds.map((clientId): KnownClient => {
      const entry = replica.lmids.get(clientId);
      return { clientId, lmid: entry?.lmid ?? 0, position: entry?.position ?? 0, rejected: entry?.rejected ?? [] };
    });
    this.#event({ type: 'fetched', channel, fetch, snapshot: { position: replica.position, maxHlc: replica.maxHlc, known } });
  }
}
