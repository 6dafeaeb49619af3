/** Writes the numbers of set bits of `rows` rows from `first` on, as float32, which holds them exactly. */
export function writeBitCounts(vectors: usize, bytes: usize, counts: usize, first: u32, rows: u32): void {
  for (let row = first, end = first + rows; row < end; row++) {
    const from = vectors + <usize>row * bytes;
    let sum: u64 = 0;
    for (let at: usize = 0; at < bytes; at += 8) sum += popcnt<u64>(load<u64>(from + at));
    store<f32>(counts + (<usize>row << 2), <f32>sum);
  }
}
