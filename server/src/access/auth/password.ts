import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { DbError } from '@terndb/core';

/** scrypt with N 2^15, r 8, p 1 (32 MiB, some 50 ms): OWASP's recommendation. Both base64url. */
export interface PasswordHash {
  readonly salt: string;
  readonly hash: string;
}

const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const HASH_BYTES = 32;
const SALT_BYTES = 16;

export async function hashPassword(password: string, salt: string = randomBytes(SALT_BYTES).toString('base64url')): Promise<PasswordHash> {
  const hash = await new Promise<Buffer>((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, COST, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
  return { salt, hash: hash.toString('base64url') };
}

/** Guesses that are tried at one time, for all callers together: each costs memory and a thread. */
const MAX_CHECKS = 4;
/** Right passwords are remembered by their digest, so that each request need not pay; few, because there are few accounts. */
const MAX_REMEMBERED = 64;

/** Compares passwords with one hash. RATE_LIMITED while too many are being tried. */
export class PasswordCheck {
  readonly #expected: PasswordHash;
  readonly #right = new Set<string>();
  #running = 0;

  constructor(expected: PasswordHash) {
    this.#expected = expected;
  }

  async isRight(password: string): Promise<boolean> {
    const digest = createHash('sha256').update(this.#expected.salt).update(password).digest('base64url');
    if (this.#right.has(digest)) return true;
    if (this.#running >= MAX_CHECKS)
      throw new DbError('RATE_LIMITED', 'password: too many are being checked', { details: { retryAfterMs: 1000 } });
    this.#running += 1;
    try {
      const { hash } = await hashPassword(password, this.#expected.salt);
      const isRight = timingSafeEqual(Buffer.from(hash), Buffer.from(this.#expected.hash));
      if (isRight && this.#right.size < MAX_REMEMBERED) this.#right.add(digest);
      return isRight;
    } finally {
      this.#running -= 1;
    }
  }
}
