import type { Passages } from '../library/open-library.ts';
import { seededRandom } from './random.ts';
import { Reservoir } from './reservoir.ts';

/** A passage on the map. */
export interface MapPoint {
  readonly key: string;
  readonly title: string;
  readonly topic: string;
  readonly kind: string;
  readonly source: string | null;
}
export interface ReadPoints {
  readonly points: readonly MapPoint[];
  /** Row-major, one row per point. */
  readonly vectors: Float32Array<ArrayBuffer>;
  readonly dim: number;
  /** Passages the sample was drawn from. */
  readonly of: number;
}

/** Comparing all with all grows with the square: this many take seconds on a laptop. */
export const MAX_POINTS = 3_000;
/** Keys alone are read of each. A larger library gives a sample of its first ones, and the page says so. */
const MAX_SCANNED = 200_000;
const KEY_PAGE = 4_000;
const READ_BATCH = 500;
const SEED = 7;

/** A fair sample of the library, with vectors; passages that have none yet are left out. */
export async function readPoints(passages: Passages, signal: AbortSignal, onProgress: (share: number) => void): Promise<ReadPoints> {
  const sample = await sampleKeys(passages, signal);
  const points: MapPoint[] = [];
  const rows: Float32Array[] = [];
  for (let at = 0; at < sample.kept.length; at += READ_BATCH) {
    signal.throwIfAborted();
    const keys = sample.kept.slice(at, at + READ_BATCH);
    const entities = await passages.getMany(keys, { select: ['title', 'topic', 'kind', 'source', 'meaning'], scope: 'local' });
    entities.forEach((entity, i) => {
      if (entity === undefined || entity.meaning === null) return;
      const { meaning, ...fields } = entity;
      points.push({ ...fields, key: keys[i]! });
      rows.push(meaning);
    });
    onProgress((at + keys.length) / sample.kept.length);
  }
  const dim = rows[0]?.length ?? 0;
  const vectors = new Float32Array(rows.length * dim);
  rows.forEach((row, i) => {
    vectors.set(row, i * dim);
  });
  return { points, vectors, dim, of: sample.seen };
}

async function sampleKeys(passages: Passages, signal: AbortSignal): Promise<Reservoir<string>> {
  const sample = new Reservoir<string>(MAX_POINTS, seededRandom(SEED));
  let after: string | null = null;
  do {
    signal.throwIfAborted();
    const keys: readonly string[] = await keysAfter(passages, after);
    for (const key of keys) sample.add(key);
    after = keys.length < KEY_PAGE ? null : keys.at(-1)!;
  } while (after !== null && sample.seen < MAX_SCANNED);
  return sample;
}

async function keysAfter(passages: Passages, after: string | null): Promise<readonly string[]> {
  const where = after === null ? {} : { id: { gt: after } };
  const { entities } = await passages.query({ where, orderBy: { field: 'id' }, limit: KEY_PAGE, select: ['id'], scope: 'local' });
  return entities.map(({ id }) => id);
}
