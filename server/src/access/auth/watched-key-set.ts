import type { Clock } from '@terndb/core';
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import { degraded, type Finding, failing, OK } from '../../node/health/finding.ts';

/** Between two fetches of a key set because of an unknown key id: nobody makes us flood its server. */
const COOLDOWN_MS = 30_000;
const TIMEOUT_MS = 5_000;
/** While it cannot be had it is asked for at most this often when somebody looks, whether or not a token comes. */
const TRY_MS = 5_000;

/** The key set of another server, and whether it can be had. */
export class WatchedKeySet {
  readonly keys: JWTVerifyGetKey;
  readonly #remote: ReturnType<typeof createRemoteJWKSet>;
  readonly #clock: Clock;
  /** Of the last fetch. */
  #trouble: string | undefined;
  #failure: { readonly reason: string; readonly sinceMs: number } | undefined;
  #triedAtMs = Number.NEGATIVE_INFINITY;

  constructor(url: URL, clock: Clock) {
    this.#clock = clock;
    const fetched: typeof fetch = (input, init) => this.#fetch(input, init);
    this.#remote = createRemoteJWKSet(url, { cooldownDuration: COOLDOWN_MS, timeoutDuration: TIMEOUT_MS, [customFetch]: fetched });
    this.keys = async (header, token) => {
      try {
        return await this.#remote(header, token);
      } finally {
        this.#look();
      }
    };
  }

  /** While keys that were fetched before are still young, tokens go on being checked with them. */
  check(): Finding {
    const failure = this.#failure;
    if (failure === undefined) return OK;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#triedAtMs >= TRY_MS) {
      this.#triedAtMs = nowMs;
      void this.reload();
    }
    return this.#remote.fresh
      ? degraded(`${failure.reason}; keys known before still serve`, failure.sinceMs)
      : failing(`${failure.reason}; tokens cannot be checked`, failure.sinceMs);
  }

  /** Asks for the keys now. Never rejects. */
  async reload(): Promise<void> {
    await this.#remote.reload().catch(() => {});
    this.#look();
  }

  async #fetch(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
    try {
      const response = await fetch(input, init);
      this.#trouble = response.status === 200 ? undefined : `status ${response.status} of the key set`;
      return response;
    } catch (thrown) {
      this.#trouble = 'the key set does not answer';
      throw thrown;
    }
  }

  /** After a try. An answer that is no key set leaves none, or the one before until it is old. */
  #look(): void {
    const trouble = this.#trouble ?? (this.#remote.fresh ? undefined : 'the answer is no key set');
    if (trouble === undefined) this.#failure = undefined;
    else this.#failed(trouble);
  }

  #failed(reason: string): void {
    this.#failure = { reason, sinceMs: this.#failure?.sinceMs ?? this.#clock.nowMs() };
  }
}
