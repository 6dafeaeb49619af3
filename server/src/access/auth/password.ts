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
/** Right passwords are remembered by their digest, so that each request need not pay; as many as there may be users. */
const MAX_REMEMBERED = 128;

/** Compares passwords with hashes. RATE_LIMITED while too many are being tried. */
export class PasswordCheck {
  readonly #right = new Set<string>();
  #running = 0;

  async isRight(password: string, expected: PasswordHash): Promise<boolean> {
    // The salt is new with each password, so a digest of an old one meets nothing.
    const digest = createHash('sha256').update(expected.salt).update(password).digest('base64url');
    if (this.#right.has(digest)) return true;
    if (this.#running >= MAX_CHECKS)
      throw new DbError('RATE_LIMITED', 'password: too many are being checked', { details: { retryAfterMs: 1000 } });
    this.#running += 1;
    try {
      const { hash } = await hashPassword(password, expected.salt);
      const isRight = timingSafeEqual(Buffer.from(hash), Buffer.from(expected.hash));
      if (isRight) this.#remember(digest);
      return isRight;
    } finally {
      this.#running -= 1;
    }
  }

  #remember(digest: string): void {
    if (this.#right.size >= MAX_REMEMBERED) this.#right.delete(this.#right.values().next().value!);
    this.#right.add(digest);
  }
}
