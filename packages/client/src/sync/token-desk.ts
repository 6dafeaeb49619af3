import { type Clock, DbError } from '@terndb/core';
import type { TokenReason } from '@terndb/sync';
import { type ReadToken, readToken } from './token.ts';

/** A page that does not answer in this time is not there, or its server is not. */
const PAGE_TIMEOUT_MS = 30_000;
/** A token that lives longer than this is used again. */
const MARGIN_MS = 30_000;

export interface TokenWanted {
  readonly id: number;
  readonly reason: TokenReason;
}

/** Asks pages for tokens: says what is wanted, takes the first answer, and gives everybody who asks the same one while it is fresh. */
export class TokenDesk {
  readonly #clock: Clock;
  readonly #onWanted: () => void;
  #wanted: (TokenWanted & { readonly resolve: (token: ReadToken) => void; readonly reject: (error: DbError) => void }) | undefined;
  #asked: Promise<ReadToken> | undefined;
  #last: { readonly token: ReadToken; readonly atMs: number } | undefined;
  #nextId: number;

  constructor(clock: Clock, onWanted: () => void) {
    this.#clock = clock;
    this.#onWanted = onWanted;
    // Ids of an earlier leader's questions must not be taken for this one's.
    this.#nextId = Math.floor(clock.nowMs());
  }

  /** What pages are asked for now. */
  get wanted(): TokenWanted | undefined {
    return this.#wanted && { id: this.#wanted.id, reason: this.#wanted.reason };
  }

  /** @throws AUTH_REQUIRED when no page gives one. */
  get(reason: TokenReason): Promise<ReadToken> {
    const fresh = reason === 'start' ? this.fresh() : undefined;
    if (fresh !== undefined) return Promise.resolve(fresh);
    if (this.#asked === undefined) {
      const asked = this.#ask(reason).finally(() => {
        if (this.#asked === asked) this.#asked = undefined;
      });
      this.#asked = asked;
    }
    return this.#asked;
  }

  /** The last one, while it lives. */
  fresh(): ReadToken | undefined {
    if (this.#last === undefined) return undefined;
    const expiresInMs = this.#last.token.expiresInMs - (this.#clock.monotonicMs() - this.#last.atMs);
    return expiresInMs > MARGIN_MS ? { ...this.#last.token, expiresInMs } : undefined;
  }

  /** A page's answer; null: it could not. */
  give(id: number, text: string | null): void {
    const wanted = this.#wanted;
    if (wanted?.id !== id) return;
    const token = text === null ? undefined : readToken(text, this.#clock.nowMs());
    if (token === undefined) wanted.reject(noToken(text === null ? 'getToken threw' : 'getToken gave no JSON Web Token with a subject'));
    else wanted.resolve(token);
  }

  forget(): void {
    this.#last = undefined;
    this.#asked = undefined;
    this.#wanted?.reject(noToken('disconnected'));
  }

  async #ask(reason: TokenReason): Promise<ReadToken> {
    let cancel = (): void => {};
    const id = this.#nextId++;
    try {
      const token = await new Promise<ReadToken>((resolve, reject) => {
        this.#wanted = { id, reason, resolve, reject };
        cancel = this.#clock.after(PAGE_TIMEOUT_MS, () => reject(noToken('no page answered')));
        this.#onWanted();
      });
      this.#last = { token, atMs: this.#clock.monotonicMs() };
      return token;
    } finally {
      cancel();
      if (this.#wanted?.id === id) this.#wanted = undefined;
      this.#onWanted();
    }
  }
}

function noToken(why: string): DbError {
  return new DbError('AUTH_REQUIRED', `token: one from a page expected, got none: ${why}`, { details: { why } });
}
