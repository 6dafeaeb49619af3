/**
 * The best rows of a search so far, ascending: u64 entries, key in the high half, row in the low one. The top bit of the row says that its
 * links were followed already. A sorted array beats two heaps at the sizes of `ef`: one scan finds the next row to follow.
 */
export const FOLLOWED: u64 = 0x80000000;
export const ROW_BITS: u64 = 0x7fffffff;

let base: usize = 0;
let capacity: u32 = 0;
let count: u32 = 0;

export function poolReset(address: usize, size: u32): void {
  base = address;
  capacity = size;
  count = 0;
}

@inline
export function poolCount(): u32 {
  return count;
}
@inline
export function poolSetCount(size: u32): void {
  assert(size <= capacity);
  count = size;
}
@inline
export function poolAt(index: u32): usize {
  assert(index < capacity);
  return base + (<usize>index << 3);
}
@inline
export function poolRow(index: u32): u32 {
  return <u32>(load<u64>(poolAt(index)) & ROW_BITS);
}
@inline
export function entryOf(key: u32, row: u32): u64 {
  return (<u64>key << 32) | <u64>row;
}

/** The worst key, or the largest there is while the pool has room. */
@inline
export function poolWorst(): u32 {
  return count < capacity ? 0xffffffff : <u32>(load<u64>(poolAt(count - 1)) >> 32);
}
/** The worst entry; every entry is better while there is room. */
@inline
export function poolWorstEntry(): u64 {
  return count < capacity ? u64.MAX_VALUE : load<u64>(poolAt(count - 1)) & ~FOLLOWED;
}

/** Inserts where it belongs, dropping the worst when full; returns the place. Search by halves without branches, then moves of 16 bytes. */
export function poolInsert(entry: u64): u32 {
  const last = count < capacity ? count++ : capacity - 1;
  let low = base, length = last;
  while (length > 0) {
    const half = length >> 1, middle = low + (<usize>half << 3);
    const below = load<u64>(middle) < entry;
    low = select<usize>(middle + 8, low, below);
    length = select<u32>(length - half - 1, half, below);
  }
  let at = poolAt(last);
  while (at >= low + 16) {
    v128.store(at - 8, v128.load(at - 16));
    at -= 16;
  }
  if (at > low) store<u64>(at, load<u64>(at - 8));
  store<u64>(low, entry);
  return <u32>((low - base) >> 3);
}

/** Sorts `size` entries at `address` ascending: few, or nearly sorted. */
export function sortEntries(address: usize, size: u32): void {
  for (let index: u32 = 1; index < size; index++) {
    const entry = load<u64>(address + (<usize>index << 3));
    let at = address + (<usize>index << 3);
    while (at > address) {
      const before = load<u64>(at - 8);
      if (before < entry) break;
      store<u64>(at, before);
      at -= 8;
    }
    store<u64>(at, entry);
  }
}

/** Forgets what was followed. Among equal keys the order then is that of the rows again. */
export function poolSettle(): void {
  for (let index: u32 = 0; index < count; index++) store<u64>(poolAt(index), load<u64>(poolAt(index)) & ~FOLLOWED);
  if (count > 0) sortEntries(poolAt(0), count);
}
