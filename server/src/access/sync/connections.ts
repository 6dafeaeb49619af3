import { randomBytes } from 'node:crypto';
import { type Clock, DbError } from '@terndb/core';
import type { FastifyBaseLogger } from 'fastify';
import type { WebSocket } from 'ws';
import { degraded, type Finding, OK } from '../../node/health/finding.ts';
import { type ConnectionServices, SyncConnection } from './connection.ts';
import { HintRoom } from './hint-room.ts';
import { PresenceRoom } from './presence.ts';

/** A device comes back after this at the latest; spread, so that not all come at once. */
const MAX_RETRY_MS = 5_000;
const MIN_RETRY_MS = 500;

/** Nobody may guess one, and no two may be the same. */
const SESSION_ID_BYTES = 16;
/** How often all are looked at for one that is half-open, mute or stuck. One timer for all: a timer each is 0.4 KiB each. */
const CHECK_MS = 5_000;

/** All sync sockets of this process. */
export class SyncConnections {
  readonly #services: ConnectionServices;
  readonly #open = new Set<SyncConnection>();
  #isDraining = false;
  #isChecking = false;

  constructor(services: Omit<ConnectionServices, 'presence' | 'hints'>) {
    this.#services = { ...services, presence: new PresenceRoom(services.clock), hints: new HintRoom(services.clock) };
  }

  /** RATE_LIMITED: as many as there may be. STORAGE_UNAVAILABLE while draining. Before the upgrade. */
  checkRoom(): void {
    const { connections } = this.#services.limits;
    if (this.#isDraining) throw new DbError('STORAGE_UNAVAILABLE', 'server: is shutting down', { details: { retryAfterMs: MIN_RETRY_MS } });
    if (this.#open.size < connections) return;
    throw new DbError('RATE_LIMITED', `sync sockets: at most ${connections} expected`, {
      details: { limit: connections, retryAfterMs: MAX_RETRY_MS },
    });
  }

  check(): Finding {
    const { connections } = this.#services.limits;
    return this.#open.size < connections ? OK : degraded(`as many sockets as there may be (${connections}): others are refused`);
  }

  /** @returns the id of its session, for logs. */
  open(socket: WebSocket, log: FastifyBaseLogger): string {
    // Not a UUID: Node makes those of 16 pieces, which are kept as such.
    const id = randomBytes(SESSION_ID_BYTES).toString('hex');
    const connection = new SyncConnection(id, socket, this.#services, log);
    this.#open.add(connection);
    socket.on('close', () => this.#open.delete(connection));
    if (!this.#isChecking) this.#checkLater();
    return connection.id;
  }

  /** For as long as there are some. */
  #checkLater(): void {
    const { clock } = this.#services;
    this.#isChecking = true;
    clock.after(CHECK_MS, () => {
      this.#isChecking = false;
      const nowMs = clock.monotonicMs();
      for (const connection of this.#open) connection.check(nowMs);
      if (this.#open.size > 0) this.#checkLater();
    });
  }

  /** Asks all to leave, closes them one after the other over `overMs`, and waits until they have gone. */
  async drain(overMs: number): Promise<void> {
    this.#isDraining = true;
    const { clock } = this.#services;
    const leaving = [...this.#open];
    const spread = (index: number, over: number): number => Math.floor((index / Math.max(1, leaving.length)) * over);
    for (const [index, connection] of leaving.entries()) connection.goaway(MIN_RETRY_MS + spread(index, MAX_RETRY_MS - MIN_RETRY_MS));
    const closeOverMs = overMs / 2;
    await Promise.all(
      leaving.map(async (connection, index) => {
        await sleep(clock, spread(index, closeOverMs));
        connection.close('drain');
      }),
    );
    const endMs = clock.monotonicMs() + overMs / 2;
    while (this.#open.size > 0 && clock.monotonicMs() < endMs) await sleep(clock, 10);
    for (const connection of this.#open) connection.terminate();
  }
}

function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
