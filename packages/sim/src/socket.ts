import { type ClientMessage, decodeMessage, encodeMessage, type Message, type ServerMessage } from '@terndb/sync';
import type { World } from './world.ts';

export interface SocketEnds {
  readonly toClient: (message: ServerMessage, bytes: number) => void;
  readonly toServer: (message: ClientMessage) => void;
  readonly clientClosed: () => void;
  readonly serverClosed: () => void;
}

/** Bytes of a message, roughly; exact when messages are encoded. */
const MESSAGE_BYTES = 60;
const RECORD_BYTES = 40;

/** A connection: ordered and reliable while it lives; then one end or both hear of its death, or, half-open, neither does. */
export class Socket {
  readonly #world: World;
  readonly #name: string;
  readonly #ends: SocketEnds;
  #upAt = 0;
  #downAt = 0;
  #isOpen = true;
  #loses: 'nothing' | 'up' | 'down' | 'both' = 'nothing';

  constructor(world: World, name: string, ends: SocketEnds) {
    this.#name = name;
    this.#world = world;
    this.#ends = ends;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  send(message: ClientMessage): void {
    this.#world.detail(() => `${this.#name} > ${textOf(message)}`);
    if (!this.#isOpen || this.#loses === 'up' || this.#loses === 'both') return;
    carry(this.#world, message);
    this.#upAt = Math.max(this.#upAt, this.#world.monotonicMs() + this.#latency());
    this.#world.queue.after(this.#upAt - this.#world.monotonicMs(), () => {
      if (this.#isOpen) this.#ends.toServer(message);
    });
  }

  answer(message: ServerMessage): void {
    this.#world.detail(() => `${this.#name} < ${textOf(message)}`);
    if (!this.#isOpen || this.#loses === 'down' || this.#loses === 'both') return;
    const bytes = carry(this.#world, message);
    this.#downAt = Math.max(this.#downAt, this.#world.monotonicMs() + this.#latency());
    this.#world.queue.after(this.#downAt - this.#world.monotonicMs(), () => {
      if (this.#isOpen) this.#ends.toClient(message, bytes);
    });
  }

  /** Messages on their way are gone. */
  break(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#world.queue.after(this.#latency(), () => this.#ends.clientClosed());
    this.#world.queue.after(this.#latency() * 3, () => this.#ends.serverClosed());
  }

  /** Looks alive and carries nothing, in one direction or both. */
  halfOpen(): void {
    if (this.#loses === 'nothing') this.#loses = this.#world.random.pick(['up', 'down', 'both'] as const);
  }

  #latency(): number {
    const { random } = this.#world;
    return this.#world.fault('hop-delay', 0.02) ? random.between(100, 3_000) : random.between(2, 25);
  }
}

/** @returns bytes. With `encodes` the codec is in the path: what comes out must be what went in. */
function carry(world: World, message: Message): number {
  if (!world.swarm.encodes) return MESSAGE_BYTES + ('frame' in message ? message.frame.records.length * RECORD_BYTES : 0);
  const bytes = encodeMessage(message);
  const back = decodeMessage(bytes);
  if (!isSame(back, message)) world.ledger.fail('codec', `${message.type}: ${textOf(message)} came back as ${textOf(back)}`);
  return bytes.length;
}

/** Fields that are undefined count as absent, and bytes of any view as bytes. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  if (ArrayBuffer.isView(a) || ArrayBuffer.isView(b) || Array.isArray(a) || Array.isArray(b)) return isSameList(a, b);
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (!isSame(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}

function isSameList(a: object, b: object): boolean {
  const left = a as ArrayLike<unknown>;
  const right = b as ArrayLike<unknown>;
  if (Array.isArray(a) !== Array.isArray(b) || left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (!isSame(left[index], right[index])) return false;
  return true;
}

function textOf(message: Message | undefined): string {
  const seen = (_: string, value: unknown): unknown => (ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value);
  return JSON.stringify(sorted(message), seen);
}

/** Keys in one order, absent ones left out. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]));
}
