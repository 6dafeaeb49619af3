/**
 * Search of an index that is all the kernel holds: no float32 rows. Hits are scored again from rows that `fetchRow` gets from wherever they are. The
 * same in Node and in a browser's worker.
 */
import { type HnswIndex, type ListIndex, loadKernel, openHnsw, openLists } from '@terndb/kernel';
import { median, percentile, round } from '../lib/numbers.ts';

export interface OpenedData {
  readonly dim: number;
  readonly k: number;
  readonly queries: readonly Float32Array[];
  /** The best rows of each query. */
  readonly truth: readonly ReadonlySet<number>[];
  /** Writes a row to `target`. */
  fetchRow(row: number, target: Float32Array): void;
}

const EFS = [16, 32, 64, 128, 256, 512];
/** Rows that are fetched for a search; 0: none, hits are the codes' own. */
const CANDIDATES = [0, 20, 50, 100, 200];
/** No better ones are looked for. */
const ENOUGH = 0.99;
/** A flat scan of all codes takes long: fewer queries say as much. */
const SCAN_QUERIES = 50;

export interface OpenedPoint {
  /** Missing: all codes were scanned. */
  readonly ef?: number;
  readonly candidates: number;
  readonly recall: number;
  readonly qps: number;
  readonly p50: number;
  readonly p99: number;
}

export interface OpenedRow {
  readonly codes: string;
  readonly openMs: number;
  readonly memoryBytes: number;
  readonly points: readonly OpenedPoint[];
}

/** `bytes`: what `save` gave. Opens it in a kernel of its own. */
export async function measureOpened(codes: string, bytes: Uint8Array, wasm: URL | string, data: OpenedData): Promise<OpenedRow> {
  const kernel = await loadKernel({ wasm });
  const isScan = codes.includes('scan');
  const begun = performance.now();
  const index = isScan ? openLists(kernel, bytes) : openHnsw(kernel, bytes);
  const openMs = round(performance.now() - begun, 1);
  const points: OpenedPoint[] = [];
  for (const candidates of CANDIDATES) {
    for (const ef of isScan ? [0] : EFS.filter((one) => one >= candidates)) {
      const point = measurePoint(index, data, { ef, candidates, isScan });
      points.push(point);
      if (point.recall >= ENOUGH) break;
    }
  }
  return { codes, openMs, memoryBytes: kernel.memoryBytes, points };
}

function measurePoint(
  index: HnswIndex | ListIndex,
  data: OpenedData,
  { ef, candidates, isScan }: { readonly ef: number; readonly candidates: number; readonly isScan: boolean },
): OpenedPoint {
  const { dim, k } = data;
  const search = (query: Float32Array): Uint32Array => {
    const wanted = Math.max(k, candidates);
    const hits = isScan
      ? (index as ListIndex).search({ query, k: wanted, nprobe: 1 })
      : (index as HnswIndex).search({ query, k: wanted, ef, plan: 'walk' });
    if (candidates === 0) return hits.offsets;
    const vectors = new Float32Array(hits.offsets.length * dim);
    for (const [at, row] of hits.offsets.entries()) data.fetchRow(row, vectors.subarray(at * dim, (at + 1) * dim));
    return index.rescore({ query, k, offsets: hits.offsets, vectors }).offsets;
  };
  const queries = isScan ? data.queries.slice(0, SCAN_QUERIES) : data.queries;
  for (const query of queries.slice(0, 20)) search(query);
  const taken: number[] = [];
  let [found, wanted] = [0, 0];
  for (const [at, query] of queries.entries()) {
    const asked = performance.now();
    const offsets = search(query);
    taken.push((performance.now() - asked) * 1000);
    wanted += k;
    for (const offset of offsets) if (data.truth[at]!.has(offset)) found++;
  }
  const p50 = median(taken);
  const figures = { qps: Math.round(1e6 / p50), p50: round(p50, 1), p99: round(percentile(taken, 0.99), 1) };
  return { ...(isScan ? {} : { ef }), candidates, recall: round(found / wanted, 4), ...figures };
}
