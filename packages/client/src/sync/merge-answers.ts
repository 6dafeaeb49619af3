import { comparePrimaryKeys, hash64, type PrimaryKey, utf8Encode } from '@terndb/core';
import { decodeToken, encodeToken, type SearchHit } from '@terndb/engine';

/** As in reciprocal rank fusion: how fast a rank loses weight (Cormack, Clarke, Buettcher 2009). */
const RRF_K = 60;

/** Hits of this device and of the server, apart from each other, best first. `byRank`: their scores cannot be compared. */
export function mergeHits(local: readonly SearchHit[], theirs: readonly SearchHit[], byRank: boolean): readonly SearchHit[] {
  const ranked = byRank ? [...byRanks(local), ...byRanks(theirs)] : [...local, ...theirs];
  return ranked.sort((a, b) => b.score - a.score || comparePrimaryKeys(a.key as PrimaryKey, b.key as PrimaryKey));
}

function byRanks(hits: readonly SearchHit[]): readonly SearchHit[] {
  return hits.map((hit, rank) => ({ ...hit, score: 1 / (RRF_K + rank + 1) }));
}

type Row = Readonly<Record<string, unknown>>;

/** As the engine orders: nulls last. */
export function orderOf(orderBy: unknown): (a: Row, b: Row) => number {
  const terms = (Array.isArray(orderBy) ? orderBy : orderBy === undefined || orderBy === null ? [] : [orderBy]) as readonly {
    readonly field: string;
    readonly order?: 'asc' | 'desc';
  }[];
  return (a, b) => {
    for (const { field, order } of terms) {
      const [x, y] = [a[field] ?? null, b[field] ?? null];
      if (x === y || (x === null && y === null)) continue;
      if (x === null) return 1;
      if (y === null) return -1;
      const sign = (x as number) < (y as number) ? -1 : (x as number) > (y as number) ? 1 : 0;
      if (sign !== 0) return order === 'desc' ? -sign : sign;
    }
    return 0;
  };
}

/** What both answers have seen; at least one of them is there. */
export function joinTokens(local: string | undefined, theirs: string | undefined): string {
  if (local === undefined || theirs === undefined) return (theirs ?? local)!;
  const byEpoch = new Map<string, Map<string, number>>();
  for (const { logEpoch, positions } of [...decodeToken(local), ...decodeToken(theirs)]) {
    const known = byEpoch.get(logEpoch) ?? new Map<string, number>();
    byEpoch.set(logEpoch, known);
    for (const [channel, position] of positions) known.set(channel, Math.max(position, known.get(channel) ?? 0));
  }
  return encodeToken([...byEpoch].map(([logEpoch, positions]) => ({ logEpoch, positions })));
}

/**
 * A number for what a row of the server's answer holds: the server says no version, and pages keep the identity of entities whose number is the
 * same. Below 0, where no version of this device is.
 */
export function contentVersion(entity: Row): number {
  const { lo, hi } = hash64(utf8Encode(JSON.stringify(entity, plain)));
  return -1 - ((hi & 0x1fffff) * 2 ** 32 + lo);
}

function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  return ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Uint8Array) : value;
}
