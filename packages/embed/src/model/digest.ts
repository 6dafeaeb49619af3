import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';

export type HashName = 'sha256' | 'sha384' | 'sha512';

const PLAIN = { sha256, sha384, sha512 } as const;
const PLATFORM = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const;

/**
 * The hash of a file. Pages that came over plain `http` from another machine (a phone that looks at a computer in the same house) have no
 * `crypto.subtle`; a library computes it there, some ten times as slowly (8 MB: a tenth of a second).
 */
export async function digestOf(
  algorithm: HashName,
  bytes: Uint8Array<ArrayBuffer>,
  subtle: SubtleCrypto | null = (globalThis.crypto as Partial<Crypto> | undefined)?.subtle ?? null,
): Promise<Uint8Array> {
  if (subtle === null) return PLAIN[algorithm](bytes);
  return new Uint8Array(await subtle.digest(PLATFORM[algorithm], bytes));
}
