/** XXH64 (Yann Collet's specification, seed 0): about five times the speed of a CRC here, and the whole index is read at every open. */
const P1: u64 = 0x9e3779b185ebca87, P2: u64 = 0xc2b2ae3d27d4eb4f, P3: u64 = 0x165667b19e3779f9, P4: u64 = 0x85ebca77c2b2ae63, P5: u64 = 0x27d4eb2f165667c5;

@inline
function round(sum: u64, input: u64): u64 {
  return rotl<u64>(sum + input * P2, 31) * P1;
}
@inline
function merge(hash: u64, sum: u64): u64 {
  return (hash ^ round(0, sum)) * P1 + P4;
}

/** Writes the sum of `length` bytes at `from` to the 8 bytes at `to`, which are not among them. */
export function writeChecksum(from: usize, length: usize, to: usize): void {
  const end = from + length;
  let at = from, hash: u64;
  if (length >= 32) {
    let a = P1 + P2, b = P2, c: u64 = 0, d: u64 = 0 - P1;
    for (const last = end - 32; at <= last; at += 32) {
      a = round(a, load<u64>(at));
      b = round(b, load<u64>(at, 8));
      c = round(c, load<u64>(at, 16));
      d = round(d, load<u64>(at, 24));
    }
    hash = merge(merge(merge(merge(rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18), a), b), c), d);
  } else hash = P5;
  hash += <u64>length;
  for (; at + 8 <= end; at += 8) hash = rotl<u64>(hash ^ round(0, load<u64>(at)), 27) * P1 + P4;
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(at) * P1), 23) * P2 + P3;
    at += 4;
  }
  for (; at < end; at++) hash = rotl<u64>(hash ^ (<u64>load<u8>(at) * P5), 11) * P1;
  hash = (hash ^ (hash >> 33)) * P2;
  hash = (hash ^ (hash >> 29)) * P3;
  store<u64>(to, hash ^ (hash >> 32));
}
