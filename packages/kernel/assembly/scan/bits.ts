/** Offset of the first set bit at or after `from` and below `end`, or `end`. Empty words cost one load each. */
@inline
export function nextBit(bitmap: usize, from: u32, end: u32): u32 {
  if (from >= end) return end; // also for `end + 1`, the bit after none
  let word = from >> 5;
  let bits = load<u32>(bitmap + (<usize>word << 2)) >> (from & 31) << (from & 31);
  const words = (end + 31) >> 5;
  while (bits == 0) {
    if (++word >= words) return end;
    bits = load<u32>(bitmap + (<usize>word << 2));
  }
  return min((word << 5) + ctz(bits), end);
}
