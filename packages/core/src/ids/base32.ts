import type { Rng } from '../ports/clock.ts';

/** Crockford's alphabet in lower case: digits before letters, so that equal-length texts sort as their bits do; no i, l, o, u. */
const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';

/** `length` random base32 characters: `5 * length` bits. */
export function randomBase32(rng: Rng, length: number): string {
  let text = '';
  for (let index = 0; index < length; index++) text += BASE32[rng.nextUint32() >>> 27];
  return text;
}
