import { type Clock, DbError, type Rng } from '@terndb/core';
import type { ResolveAnswer, TokenReason } from '@terndb/sync';
import { type ConnectRequest, sameRequest } from './connection-record.ts';
import type { Phase } from './sync-state.ts';
import type { ReadToken } from './token.ts';
import type { TokenDesk } from './token-desk.ts';

/** Tries to reach a server that was never reached: full jitter between these. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 60_000;
/** After a token that no page gave, or that the server refused. */
const AUTH_RETRY_MS = 30_000;

export interface ConnectorPorts {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly tokens: TokenDesk;
  /** Who wrote what this device holds; empty: nobody yet. */
  readonly subject: () => Promise<string>;
  readonly resolve: (request: ConnectRequest, token: string) => Promise<ResolveAnswer>;
  /** Goes on with what this request was answered before, if it was. */
  readonly resume: (request: ConnectRequest, token: ReadToken) => boolean;
  /** Takes the answer. `isOver`: another request has come meanwhile. Settles when what it names is followed. */
  readonly adopt: (
    request: ConnectRequest,
    answer: ResolveAnswer,
    of: { readonly token: ReadToken; readonly isOver: () => boolean },
  ) => Promise<void>;
  /** Ends what runs. */
  readonly stop: () => void;
  readonly onChange: () => void;
}

/** Who this database is to be connected to, and how far that is: asks for a token, asks the server which channels there are, and tries again. */
export class Connector {
  readonly #ports: ConnectorPorts;
  #request: ConnectRequest | undefined;
  #phase: Phase = { name: 'off' };
  /** Rises with every connect and disconnect: what an older one began ends. */
  #generation = 0;
  #cancelRetry: () => void = () => {};
  #isClosed = false;
  /** Answers are taken one after the other: each copies rows into the outbox from where the one before stopped. */
  #adopting: Promise<void> = Promise.resolve();

  constructor(ports: ConnectorPorts) {
    this.#ports = ports;
  }

  /** Undefined: to nobody. */
  get request(): ConnectRequest | undefined {
    return this.#request;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** False when that is under way already. */
  connect(request: ConnectRequest): boolean {
    const isUnderWay = this.#phase.name === 'running' || this.#phase.name === 'resolving';
    if (this.#request !== undefined && sameRequest(this.#request, request) && isUnderWay) return false;
    // The last token was another connection's.
    this.#begin(request, { name: 'resolving', attempt: 1 });
    void this.#resolve(this.#generation, { attempt: 1, reason: 'start' });
    return true;
  }

  disconnect(): void {
    this.#begin(undefined, { name: 'off' });
  }

  /** Tries now what would be tried later. False when nothing waits here. */
  wake(): boolean {
    if (this.#request === undefined) return true;
    if (this.#phase.name !== 'waiting' && this.#phase.name !== 'needs-auth') return false;
    this.#resolveIn(0);
    return true;
  }

  /** Asks again which channels there are, and under which schema; everybody may have heard at once that they should. */
  resolveAgain(): void {
    this.#resolveIn(this.#delayOf(2));
  }

  /** What is followed runs, under the machine's own link. */
  running(): void {
    this.#phase = { name: 'running' };
  }

  close(): void {
    this.#isClosed = true;
    this.#generation += 1;
    this.#cancelRetry();
  }

  #begin(request: ConnectRequest | undefined, phase: Phase): void {
    this.#generation += 1;
    this.#cancelRetry();
    this.#request = request;
    this.#phase = phase;
    this.#ports.tokens.forget();
    this.#ports.stop();
    this.#ports.onChange();
  }

  async #resolve(generation: number, { attempt, reason }: { readonly attempt: number; readonly reason: TokenReason }): Promise<void> {
    const { tokens, subject, resolve, resume, adopt } = this.#ports;
    const isOver = (): boolean => this.#isClosed || generation !== this.#generation;
    const request = this.#request!;
    try {
      const token = await tokens.get(reason);
      if (isOver()) return;
      const expected = await subject();
      // Somebody else: their writes belong into another database, and ours must not go out under their name.
      if (expected !== '' && expected !== token.subject) throw otherSubject(expected, token.subject);
      if (this.#phase.name !== 'running' && resume(request, token)) {
        this.running();
        this.#ports.onChange();
      }
      const answer = await resolve(request, token.token);
      const adopting = this.#adopting.then(async () => {
        if (!isOver()) await adopt(request, answer, { token, isOver });
      });
      this.#adopting = adopting.catch(() => {});
      await adopting;
    } catch (thrown) {
      if (!isOver()) this.#failed(generation, attempt, DbError.from(thrown));
    }
  }

  #failed(generation: number, attempt: number, error: DbError): void {
    const { clock, tokens, stop, onChange } = this.#ports;
    if (error.code === 'SCHEMA_CONFLICT' || error.code === 'SCHEMA_UNKNOWN') {
      // The server lacks what this client has, or the other way round; writes stay in the outbox.
      const need = error.code === 'SCHEMA_UNKNOWN' || error.details['need'] === 'upgrade-server' ? 'upgrade-server' : 'upgrade-client';
      this.#phase = { name: 'incompatible', need };
      stop();
      onChange();
      return;
    }
    const isAuth = error.code === 'AUTH_REQUIRED' || error.code === 'FORBIDDEN';
    if (isAuth) tokens.forget();
    const delayMs = isAuth ? AUTH_RETRY_MS : this.#delayOf(attempt);
    if (error.kind !== 'unavailable') console.warn(`terndb: connect: ${error.code}: ${error.message}`);
    // What is followed already goes on with the stored answer.
    if (this.#phase.name !== 'running' || error.details['reason'] === 'subject') {
      stop();
      if (isAuth) this.#phase = { name: 'needs-auth', detail: String(error.details['reason'] ?? error.code) };
      else this.#phase = { name: 'waiting', retryInMs: delayMs };
      onChange();
    }
    this.#cancelRetry();
    this.#cancelRetry = clock.after(delayMs, () => {
      if (generation !== this.#generation || this.#isClosed) return;
      if (this.#phase.name === 'waiting') this.#phase = { name: 'resolving', attempt: attempt + 1 };
      onChange();
      void this.#resolve(generation, { attempt: attempt + 1, reason: isAuth ? 'rejected' : 'start' });
    });
  }

  #delayOf(attempt: number): number {
    const ceiling = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(attempt, 10));
    return RETRY_MIN_MS + Math.floor((this.#ports.rng.nextUint32() / 2 ** 32) * (ceiling - RETRY_MIN_MS));
  }

  #resolveIn(delayMs: number): void {
    const generation = this.#generation;
    this.#cancelRetry();
    this.#cancelRetry = this.#ports.clock.after(delayMs, () => {
      if (generation === this.#generation && this.#request !== undefined) void this.#resolve(generation, { attempt: 1, reason: 'start' });
    });
  }
}

function otherSubject(expected: string, got: string): DbError {
  return new DbError('AUTH_REQUIRED', `connect: a token of subject ${expected}, who wrote the outbox, expected, got one of ${got}`, {
    details: { reason: 'subject', expected, got },
  });
}
