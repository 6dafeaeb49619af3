/** Rows still to be followed in a search with a bitmap: a binary min-heap of pool entries, best first. */
let base: usize = 0;
let capacity: u32 = 0;
let count: u32 = 0;

export function frontierReset(address: usize, size: u32): void {
  base = address;
  capacity = size;
  count = 0;
}

@inline
export function frontierCount(): u32 {
  return count;
}

@inline
function at(index: u32): usize {
  assert(index < capacity);
  return base + (<usize>index << 3);
}

/** False when there is no room. */
export function frontierPush(entry: u64): bool {
  if (count == capacity) return false;
  let index = count++;
  while (index > 0) {
    const parent = (index - 1) >> 1, above = load<u64>(at(parent));
    if (above <= entry) break;
    store<u64>(at(index), above);
    index = parent;
  }
  store<u64>(at(index), entry);
  return true;
}

export function frontierPop(): u64 {
  const best = load<u64>(at(0)), entry = load<u64>(at(--count));
  let index: u32 = 0;
  while (true) {
    let child: u32 = 2 * index + 1;
    if (child >= count) break;
    let below = load<u64>(at(child));
    if (child + 1 < count) {
      const right = load<u64>(at(child + 1));
      if (right < below) {
        below = right;
        child++;
      }
    }
    if (entry <= below) break;
    store<u64>(at(index), below);
    index = child;
  }
  store<u64>(at(index), entry);
  return best;
}
