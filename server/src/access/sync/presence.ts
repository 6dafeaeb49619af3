import type { Clock } from '@terndb/core';
import {
  MAX_PRESENCE_BYTES,
  MAX_PRESENCE_TOPIC_BYTES,
  PRESENCE_PER_SECOND,
  PRESENCE_TTL_MS,
  type Presence,
  type Present,
} from '@terndb/sync';
import { TokenBucket } from './token-bucket.ts';

/** Documents that one connection has open at once, over all tabs of its device. */
const MAX_SEATS = 64;
/** How often what is silent is looked for. */
const SWEEP_MS = 5_000;

/** One connection, as the room sees it. */
export interface Guest {
  /** Drops what cannot be sent now, or is not granted any more. */
  tell(message: Present): void;
}

interface Seat {
  readonly guest: Guest;
  message: Present;
  saidAtMs: number;
}

/**
 * Who is where, told among the connections of this process and kept nowhere: cursors, names. A topic is heard by those who said something in it.
 * What somebody said is gone 30 s after, and at once with the connection.
 */
export class PresenceRoom {
  readonly #clock: Clock;
  /** Topic of a channel → peer. */
  readonly #topics = new Map<string, Map<number, Seat>>();
  readonly #guests = new Map<Guest, { readonly bucket: TokenBucket; seats: number }>();
  #isSweeping = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** People and what they said, for metrics and tests. */
  get seats(): number {
    let seats = 0;
    for (const topic of this.#topics.values()) seats += topic.size;
    return seats;
  }

  /** What is more often, larger or of another's name than agreed is dropped: nothing depends on it. */
  say(guest: Guest, subject: string, { channel, topic, peer, state }: Presence): void {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#guests.get(guest) ?? { bucket: new TokenBucket(PRESENCE_PER_SECOND, nowMs), seats: 0 };
    this.#guests.set(guest, known);
    // Without a debt: two tabs that say ten a second each are heard ten times a second, not ever less.
    if (known.bucket.waitMs(nowMs) > 0) return;
    known.bucket.take(nowMs);
    if (state.length > MAX_PRESENCE_BYTES || topic.length > MAX_PRESENCE_TOPIC_BYTES) return;
    const name = nameOf(channel, topic);
    const seats = this.#topics.get(name) ?? new Map<number, Seat>();
    const seat = seats.get(peer);
    if (seat !== undefined && seat.guest !== guest) return;
    const message: Present = { type: 'present', channel, topic, peer, subject, state };
    if (state.length === 0) {
      if (seat !== undefined) this.#leave(name, seat);
      return;
    }
    if (seat === undefined) {
      if (known.seats >= MAX_SEATS) return;
      known.seats += 1;
      this.#topics.set(name, seats);
      const isNew = ![...seats.values()].some((other) => other.guest === guest);
      if (isNew) for (const other of seats.values()) guest.tell(other.message);
      seats.set(peer, { guest, message, saidAtMs: nowMs });
    } else {
      seat.message = message;
      seat.saidAtMs = nowMs;
    }
    this.#tellOthers(seats, guest, message);
    if (!this.#isSweeping) this.#sweepLater();
  }

  /** The connection is over. */
  leave(guest: Guest): void {
    if (!this.#guests.delete(guest)) return;
    for (const [name, seats] of [...this.#topics])
      for (const seat of [...seats.values()]) if (seat.guest === guest) this.#leave(name, seat);
  }

  #leave(name: string, seat: Seat): void {
    const seats = this.#topics.get(name)!;
    seats.delete(seat.message.peer);
    if (seats.size === 0) this.#topics.delete(name);
    const known = this.#guests.get(seat.guest);
    if (known !== undefined) known.seats -= 1;
    this.#tellOthers(seats, seat.guest, { ...seat.message, state: new Uint8Array(0) });
  }

  #tellOthers(seats: ReadonlyMap<number, Seat>, guest: Guest, message: Present): void {
    for (const other of new Set([...seats.values()].map((seat) => seat.guest))) if (other !== guest) other.tell(message);
  }

  /** For as long as somebody is there. */
  #sweepLater(): void {
    this.#isSweeping = true;
    this.#clock.after(SWEEP_MS, () => {
      this.#isSweeping = false;
      const oldestMs = this.#clock.monotonicMs() - PRESENCE_TTL_MS;
      for (const [name, seats] of [...this.#topics])
        for (const seat of [...seats.values()]) if (seat.saidAtMs < oldestMs) this.#leave(name, seat);
      if (this.#topics.size > 0) this.#sweepLater();
    });
  }
}

function nameOf(channel: string, topic: string): string {
  return `${channel}\n${topic}`;
}
