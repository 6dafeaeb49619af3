import type { Metric, ScanHits, ScanOptions, ScoreOptions, VectorBlock } from '../types.ts';
import { METRIC_NUMBERS } from '../wasm/exports.ts';
import { type ElementType, encodeElements } from './elements.ts';
import type { BlockHome } from './home.ts';
import { checkQuery, writeQuery } from './query.ts';
import { type PlacedScan, RowBlock } from './row-block.ts';
import type { LyingRows, RowStoreOptions } from './row-store.ts';
import { PLAN_BYTES, type ScreenPlan, writePlan } from './scan-plan.ts';
import { encodeQuery } from './screening.ts';

const FLOAT_BYTES = 4;
/** The first k rows are computed in any case; when they are more than this share of the rows, bounding them first is wasted work. */
const SCREEN_MIN_ROWS_PER_HIT = 8;

interface VectorQuery {
  readonly query: Float32Array;
  readonly metric: Metric;
}

export class WasmBlock extends RowBlock<VectorQuery> implements VectorBlock {
  readonly elements: ElementType;

  constructor(home: BlockHome, options: RowStoreOptions & { readonly elements: ElementType }, lying?: LyingRows) {
    super(home, options, lying);
    this.elements = options.elements;
  }

  append(vectors: Float32Array): void {
    const whole = { perRow: this.dim, things: `dim ${this.dim} floats` };
    this.appendRows(vectors.length, whole, () => encodeElements(this.elements, vectors));
  }

  row(offset: number): Float32Array<ArrayBuffer> {
    this.mustLive();
    this.mustHave(offset);
    return this.store.row(offset);
  }

  scan(options: ScanOptions): ScanHits {
    this.mustLive();
    checkQuery(options.query, options.metric, this.dim);
    return this.scanWith(options, options);
  }

  scores(options: ScoreOptions): Float32Array<ArrayBuffer> {
    this.mustLive();
    checkQuery(options.query, options.metric, this.dim);
    return this.scoresWith(options, options.offsets);
  }

  /** Where the rows lie now, as they are stored, `strideBytes` apart: until the next call that may allocate. */
  rowsAt(): { address: number; strideBytes: number; elementNumber: number; floatStrideBytes: number; norms: number } {
    const { vectors, strideBytes, elementNumber, stride, norms } = this.store;
    return { address: vectors, strideBytes, elementNumber, floatStrideBytes: stride * FLOAT_BYTES, norms };
  }

  /** Codes of the rows and what goes with them, if the block has any. */
  get screen(): { codes: number; codeBytes: number; scales: number; margins: number; squares: number } | undefined {
    return this.store.screened ? { ...this.store.codes, codeBytes: this.store.codeBytes } : undefined;
  }

  /** Query, its codes, the plan. */
  planParts(): number[] {
    return [this.store.stride * FLOAT_BYTES, this.store.codeBytes * 2, PLAN_BYTES];
  }

  /** `screen` false: without codes, for whoever scores chosen rows. */
  placePlan(options: VectorQuery, scan: PlacedScan): number {
    const { arena, scratch } = this.home;
    const { store } = this;
    const query = scratch.take(store.stride * FLOAT_BYTES);
    const floats = arena.f32(query, store.stride);
    writeQuery(floats, options.query, options.metric);
    const screen = scan.screen && store.screened && scan.k * SCREEN_MIN_ROWS_PER_HIT <= scan.rows ? this.placeCodes(floats) : undefined;
    const address = scratch.take(PLAN_BYTES);
    writePlan(arena, address, {
      metric: METRIC_NUMBERS[options.metric],
      query,
      vectors: store.vectors,
      rowBytes: store.strideBytes,
      norms: options.metric === 'COSINE' ? store.norms : 0,
      rows: scan.rows,
      bitmap: scan.bitmap,
      minScore: scan.bounds.low,
      maxScore: scan.bounds.high,
      hits: scan.hits,
      k: scan.k,
      screen,
      elements: store.elementNumber,
      queryBits: 0,
    });
    return address;
  }

  private placeCodes(query: Float32Array): ScreenPlan | undefined {
    const { arena, scratch } = this.home;
    const { codeBytes } = this.store;
    const queryCodes = scratch.take(codeBytes * 2);
    const encoded = encodeQuery(arena.i16(queryCodes, codeBytes), query);
    if (!encoded) return undefined;
    const { scale, norm, square } = encoded;
    return { ...this.store.codes, codeBytes, queryCodes, queryScale: scale, queryNorm: norm, querySquare: square };
  }
}
