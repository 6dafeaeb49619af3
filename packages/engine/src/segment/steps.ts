/**
 * Long work in steps of less than a millisecond or so: a generator that yields between them and returns the result. The same code runs in one go
 * (workers, tests) or in slices (beside reads and writes); the result cannot tell which.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Rows that are read or encoded in one step: of the largest rows (tens of KiB) some milliseconds of work, of usual ones some microseconds. */
export const ROWS_PER_STEP = 64;
/** A checksum over so many bytes takes about half a millisecond. */
export const BYTES_PER_STEP: number = 1 << 20;
/** Sorted in one step: a fraction of a millisecond for numbers, one for strings. */
const SORTED_PER_STEP = 1_024;

/** When to give way, and how. */
export interface Slices {
  /** A slice begins: whatever was waited for before is over. */
  begin(): void;
  /** The slice's time is up. Cheap: asked after every step. */
  readonly isOver: boolean;
  /** Gives way. Throws ABORTED when the work is no longer wanted. */
  pause(): Promise<void>;
}

export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

export async function runInSlices<T>(steps: Steps<T>, slices: Slices): Promise<T> {
  slices.begin();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (slices.isOver) await slices.pause();
  }
}

/** A fresh array, ascending; of items that compare equal the earlier one first. Cost: O(n log n) comparisons, fewer where runs are in order. */
export function* sortInSteps<T>(items: readonly T[], compare: (a: T, b: T) => number): Steps<T[]> {
  let from: T[] = [];
  for (let start = 0; start < items.length; start += SORTED_PER_STEP) {
    for (const item of items.slice(start, start + SORTED_PER_STEP).sort(compare)) from.push(item);
    yield;
  }
  for (let width = SORTED_PER_STEP; width < from.length; width *= 2) {
    const to: T[] = [];
    for (let start = 0; start < from.length; start += 2 * width) yield* mergeRuns({ from, to, start, width }, compare);
    from = to;
  }
  return from;
}

function* mergeRuns<T>(
  { from, to, start, width }: { readonly from: readonly T[]; readonly to: T[]; readonly start: number; readonly width: number },
  compare: (a: T, b: T) => number,
): Steps<void> {
  const middle = Math.min(start + width, from.length);
  const end = Math.min(middle + width, from.length);
  let left = start;
  let right = middle;
  while (left < middle || right < end) {
    const takesLeft = right === end || (left < middle && compare(from[left]!, from[right]!) <= 0);
    to.push(takesLeft ? from[left++]! : from[right++]!);
    if (to.length % SORTED_PER_STEP === 0) yield;
  }
}
