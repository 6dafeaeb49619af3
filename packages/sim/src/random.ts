import type { Rng } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';

/** All chance of a run comes from here. */
export class Random {
  readonly rng: Rng;

  constructor(seed: number) {
    this.rng = seededRng(seed);
  }

  /** Uniform in [0, 1). */
  next(): number {
    return this.rng.nextUint32() / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Uniform in [0, bound). */
  int(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)]!;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const copy = [...items];
    for (let index = copy.length - 1; index > 0; index--) {
      const other = this.int(index + 1);
      [copy[index], copy[other]] = [copy[other]!, copy[index]!];
    }
    return copy;
  }
}
