/**
 * The best `capacity` rows seen so far, in host memory: a binary min-heap of u64 keys, the worst kept row at the root.
 *
 * A key is the score in ordered bits (high half) and the complement of the offset (low half), so that one unsigned comparison orders by
 * score, then by ascending offset, and no two keys are equal. One heap at a time: the module runs one call at a time.
 */
let base: usize = 0;
let capacity: u32 = 0;
let count: u32 = 0;
let lowest: f32 = 0;
let highest: f32 = 0;

/** Lowest score that may still enter: `lowest` until the heap is full, then the score at the root. */
let floor: f32 = 0;

@inline
function orderedBits(score: f32): u32 {
  const bits = reinterpret<u32>(score);
  return bits ^ (<u32>(<i32>bits >> 31) | 0x80000000);
}

@inline
function scoreOf(key: u64): f32 {
  const bits = <u32>(key >> 32);
  return reinterpret<f32>(bits ^ (<u32>(~(<i32>bits) >> 31) | 0x80000000));
}

@inline
function at(index: u32): usize {
  assert(index < capacity);
  return base + (<usize>index << 3);
}

/** `minScore` and `maxScore` are inclusive; `size` > 0. */
export function heapReset(address: usize, size: u32, minScore: f32, maxScore: f32): void {
  base = address;
  capacity = size;
  count = 0;
  lowest = minScore;
  highest = maxScore;
  floor = minScore;
}

@inline
export function heapFloor(): f32 {
  return floor;
}

function siftUp(start: u32, key: u64): void {
  let index = start;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const parentKey = load<u64>(at(parent));
    if (parentKey <= key) break;
    store<u64>(at(index), parentKey);
    index = parent;
  }
  store<u64>(at(index), key);
}

/** Places `key` in the heap of `size` entries whose root is free. */
function siftDown(size: u32, key: u64): void {
  let index: u32 = 0;
  while (true) {
    let child: u32 = 2 * index + 1;
    if (child >= size) break;
    let childKey = load<u64>(at(child));
    if (child + 1 < size) {
      const right = load<u64>(at(child + 1));
      if (right < childKey) {
        childKey = right;
        child++;
      }
    }
    if (childKey >= key) break;
    store<u64>(at(index), childKey);
    index = child;
  }
  store<u64>(at(index), key);
}

export function heapOffer(score: f32, offset: u32): void {
  if (!(score >= lowest && score <= highest)) return;
  const key = (<u64>orderedBits(score) << 32) | <u64>(~offset);
  if (count < capacity) siftUp(count++, key);
  else if (key > load<u64>(base)) siftDown(count, key);
  else return;
  if (count == capacity) floor = scoreOf(load<u64>(base));
}

/** Sorts best first and turns each key into (offset, score bits). Returns the number of hits; the heap is spent. */
export function heapFinish(): u32 {
  for (let size = count; size > 1; size--) {
    const last = load<u64>(at(size - 1));
    store<u64>(at(size - 1), load<u64>(base));
    siftDown(size - 1, last);
  }
  for (let index: u32 = 0; index < count; index++) {
    const key = load<u64>(at(index));
    store<u32>(at(index), ~(<u32>key));
    store<f32>(at(index), scoreOf(key), 4);
  }
  return count;
}
