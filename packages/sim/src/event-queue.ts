interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time: what is scheduled runs in order of (time, order of scheduling). */
export class EventQueue {
  #heap: Entry[] = [];
  #order = 0;
  nowMs = 0;
  ran = 0;
  /** More is a loop that gets nowhere. */
  maxEvents: number = Number.POSITIVE_INFINITY;

  after(delayMs: number, run: () => void): void {
    const entry = { at: this.nowMs + Math.max(0, delayMs), order: this.#order++, run };
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  /** False when nothing is left. */
  runNext(): boolean {
    const first = this.#heap[0];
    if (first === undefined) return false;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
    this.nowMs = first.at;
    this.ran += 1;
    first.run();
    return true;
  }

  runUntil(endMs: number): void {
    while (this.#heap.length > 0 && this.#heap[0]!.at <= endMs) {
      this.runNext();
      if (this.ran > this.maxEvents) throw new Error(`livelock: ${this.ran} events in ${this.nowMs} ms`);
    }
    this.nowMs = Math.max(this.nowMs, endMs);
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, entry)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = entry;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
