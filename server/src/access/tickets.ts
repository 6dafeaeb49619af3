import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Clock, DbError } from '@terndb/core';

/**
 * Leave to download one thing for a few minutes, as text in its URL: base64url JSON `.` base64url HMAC-SHA256 over it. Whoever subscribes gets
 * tickets; they name what may be read, so that a download asks neither token nor catalog. The key lives as long as the process.
 */
export type Download =
  | { readonly kind: 'object'; readonly name: string }
  /** A channel's manifest with the LMIDs of these client ids only (R1). */
  | { readonly kind: 'manifest'; readonly channel: string; readonly name: string; readonly clientIds: readonly string[] };

const KEY_BYTES = 32;
/** Valid 4 to 5 minutes: the end is on a whole minute, so that the same object has the same URL for a while and is found in caches. */
const MIN_LIFE_MS = 4 * 60_000;
const STEP_MS = 60_000;
const MAX_TICKET_LENGTH = 4096;

export class Tickets {
  readonly #key = randomBytes(KEY_BYTES);
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(download: Download): string {
    const expiresAtMs = Math.ceil((this.#clock.nowMs() + MIN_LIFE_MS) / STEP_MS) * STEP_MS;
    const body = Buffer.from(JSON.stringify({ ...download, expiresAtMs })).toString('base64url');
    return `${body}.${this.#sign(body)}`;
  }

  /** FORBIDDEN: none, not ours, expired, or for another kind of thing. */
  check<K extends Download['kind']>(ticket: string | undefined, kind: K): Extract<Download, { kind: K }> {
    const [body, signature] = (ticket ?? '').length > MAX_TICKET_LENGTH ? [] : (ticket ?? '').split('.');
    if (body === undefined || signature === undefined || !isEqual(signature, this.#sign(body))) throw refused('missing or invalid');
    const download = JSON.parse(Buffer.from(body, 'base64url').toString()) as Download & { readonly expiresAtMs: number };
    if (download.expiresAtMs <= this.#clock.nowMs()) throw refused('expired');
    if (download.kind !== kind) throw refused('for something else');
    return download as unknown as Extract<Download, { kind: K }>;
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url');
  }
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function refused(reason: string): DbError {
  return new DbError('FORBIDDEN', `download ticket: a valid one expected, got one that is ${reason}`, { details: { reason } });
}
