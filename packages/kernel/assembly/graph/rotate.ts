/**
 * A random rotation that costs O(dim log dim) and no memory: signs by a seed, then a Walsh–Hadamard transform, of the first and then of the
 * last 2^p ≤ dim components, twice. Lengths and products stay; what was in few components is spread over all, which is what coding with
 * one scale per row wants.
 */
const TURNS: u32 = 2;

/** Flips the signs of `count` floats by the bits of xorshift32. Returns the generator's state. */
function flip(values: usize, count: u32, state: u32): u32 {
  for (let index: u32 = 0; index < count; index++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    const at = values + (<usize>index << 2);
    store<u32>(at, load<u32>(at) ^ (state & 0x80000000));
  }
  return state;
}

function hadamard(values: usize, count: u32): void {
  for (let half: u32 = 1; half < count; half <<= 1) {
    for (let from: u32 = 0; from < count; from += half << 1) {
      let a = values + (<usize>from << 2), b = a + (<usize>half << 2);
      const end = b;
      if (half >= 4) {
        for (; a < end; a += 16, b += 16) {
          const x = v128.load(a), y = v128.load(b);
          v128.store(a, f32x4.add(x, y));
          v128.store(b, f32x4.sub(x, y));
        }
      } else {
        for (; a < end; a += 4, b += 4) {
          const x = load<f32>(a), y = load<f32>(b);
          store<f32>(a, x + y);
          store<f32>(b, x - y);
        }
      }
    }
  }
  const factor: f32 = <f32>(1.0 / Math.sqrt(<f64>count));
  for (let index: u32 = 0; index < count; index++) store<f32>(values + (<usize>index << 2), load<f32>(values + (<usize>index << 2)) * factor);
}

export function rotate(values: usize, dim: u32, seed: u32): void {
  let state = seed ^ 0x6a09e667;
  if (state == 0) state = 1;
  const count: u32 = 1 << (31 - clz(dim));
  for (let turn: u32 = 0; turn < TURNS; turn++) {
    state = flip(values, dim, state);
    hadamard(values, count);
    state = flip(values, dim, state);
    hadamard(values + (<usize>(dim - count) << 2), count);
  }
}
