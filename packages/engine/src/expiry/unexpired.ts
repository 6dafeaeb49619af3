import type { Timestamp } from '@terndb/core';
import { clearBit, forEachSet } from '../bitmap/bitmap.ts';
import type { LiveBitmap } from '../growing/live-bitmap.ts';
import type { RowSource } from '../replica/row-source.ts';

/** Live rows of a block without the expired ones. */
export interface Unexpired {
  /** Not to be changed. */
  readonly live: Uint32Array;
  readonly count: number;
  /** No row among them was put before; Infinity without rows. */
  readonly oldest: number;
}

/**
 * Masks a block's expired rows. A block that has none of that age costs a comparison; another a pass over its live rows, again only when the next of
 * them expires or its rows have changed.
 */
export class UnexpiredRows {
  #known: (Unexpired & { readonly of: Uint32Array; readonly cutoff: Timestamp }) | undefined;

  /** `cutoff` above 0: rows put before it are expired. */
  at({ source, live: bitmap }: { readonly source: RowSource; readonly live: LiveBitmap }, cutoff: Timestamp): Unexpired {
    const of = bitmap.share();
    const { oldestPut: oldest } = source;
    if (oldest >= cutoff || bitmap.count === 0) return { live: of, count: bitmap.count, oldest };
    const known = this.#known;
    if (known?.of === of && known.cutoff <= cutoff && cutoff <= known.oldest) return known;
    this.#known = { ...masked(source, of, cutoff), of, cutoff };
    return this.#known;
  }
}

function masked(source: RowSource, of: Uint32Array, cutoff: Timestamp): Unexpired {
  const live = of.slice();
  let count = 0;
  let oldest = Number.POSITIVE_INFINITY;
  forEachSet(of, (offset) => {
    const put = source.putTimeAt(offset);
    if (put < cutoff) {
      clearBit(live, offset);
      return;
    }
    count += 1;
    if (put < oldest) oldest = put;
  });
  return { live, count, oldest };
}
