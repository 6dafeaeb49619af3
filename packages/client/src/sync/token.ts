import type { TokenReason } from '@terndb/sync';

/** What a page gave, and what it says of itself. The server checks it; here it is only read. */
export interface ReadToken {
  readonly token: string;
  readonly subject: string;
  readonly expiresInMs: number;
}

/** A token that names no expiry is asked for again after this. */
const DEFAULT_LIFE_MS = 3_600_000;
/** A token that seems to have expired is sent all the same: this clock may be wrong, and the server's is what counts. */
const LEAST_LIFE_MS = 60_000;

/** `sub` and `exp` of a JSON Web Token. Undefined when it is none. */
export function readToken(token: string, nowMs: number): ReadToken | undefined {
  try {
    const part = token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
    const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (char) => char.charCodeAt(0)))) as Record<
      string,
      unknown
    >;
    const { sub, exp } = claims;
    if (typeof sub !== 'string' || sub === '') return undefined;
    const expiresInMs = typeof exp === 'number' ? exp * 1000 - nowMs : DEFAULT_LIFE_MS;
    if (expiresInMs <= 0) return { token, subject: sub, expiresInMs: LEAST_LIFE_MS };
    return { token, subject: sub, expiresInMs };
  } catch {
    return undefined;
  }
}

/** Where tokens come from: a page that connected. Rejects when none can give one. */
export type TokenSource = (reason: TokenReason) => Promise<ReadToken>;
