import { KernelError } from '../errors.ts';
import type { BinaryBlock, BinaryMetric, BinaryScanOptions, BinaryScoreOptions, ScanHits } from '../types.ts';
import { BINARY_METRIC_NUMBERS } from '../wasm/exports.ts';
import type { BlockHome } from './home.ts';
import { type PlacedScan, RowBlock } from './row-block.ts';
import type { LyingRows } from './row-store.ts';
import { PLAN_BYTES, writePlan } from './scan-plan.ts';

interface BinaryQuery {
  readonly query: Uint8Array;
  readonly metric: BinaryMetric;
}

/** Rows of bits, by HAMMING and JACCARD; `dim` is a number of bits, a multiple of 8. */
export class WasmBinaryBlock extends RowBlock<BinaryQuery> implements BinaryBlock {
  constructor(home: BlockHome, options: { readonly dim: number; readonly capacity: number }, lying?: LyingRows) {
    super(home, { dim: options.dim, capacity: options.capacity, elements: 'bit', screen: false }, lying);
  }

  append(vectors: Uint8Array): void {
    const { rowBytes } = this.store;
    this.appendRows(vectors.length, { perRow: rowBytes, things: `${rowBytes} bytes` }, () => vectors);
  }

  row(offset: number): Uint8Array<ArrayBuffer> {
    this.mustLive();
    this.mustHave(offset);
    return this.store.rowAt(offset).slice();
  }

  scan(options: BinaryScanOptions): ScanHits {
    this.checkQuery(options);
    return this.scanWith(options, options);
  }

  scores(options: BinaryScoreOptions): Float32Array<ArrayBuffer> {
    this.checkQuery(options);
    return this.scoresWith(options, options.offsets);
  }

  planParts(): number[] {
    return [this.store.strideBytes, PLAN_BYTES];
  }

  placePlan({ query, metric }: BinaryQuery, scan: PlacedScan): number {
    const { arena, scratch } = this.home;
    const { store } = this;
    const address = scratch.take(store.strideBytes);
    const bytes = arena.u8(address, store.strideBytes);
    bytes.fill(0, query.length);
    bytes.set(query);
    const plan = scratch.take(PLAN_BYTES);
    writePlan(arena, plan, {
      metric: BINARY_METRIC_NUMBERS[metric],
      query: address,
      vectors: store.vectors,
      rowBytes: store.strideBytes,
      norms: metric === 'JACCARD' ? store.norms : 0,
      rows: scan.rows,
      bitmap: scan.bitmap,
      minScore: scan.bounds.low,
      maxScore: scan.bounds.high,
      hits: scan.hits,
      k: scan.k,
      screen: undefined,
      elements: store.elementNumber,
      queryBits: this.home.wasm.countBits(address, store.strideBytes * 8),
    });
    return plan;
  }

  private checkQuery({ query, metric }: BinaryQuery): void {
    this.mustLive();
    const { rowBytes } = this.store;
    if (query.length !== rowBytes) {
      throw new KernelError('DIMENSION_MISMATCH', `query: dim ${this.dim} (${rowBytes} bytes) expected, got ${query.length} bytes`, {
        details: { expected: rowBytes, got: query.length },
      });
    }
    if (Object.hasOwn(BINARY_METRIC_NUMBERS, metric)) return;
    throw new KernelError('QUERY_INVALID', `query: metric HAMMING or JACCARD expected, got ${String(metric)}`, { details: { metric } });
  }
}
