import { KernelError } from '../errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { Scratch } from '../memory/scratch.ts';
import type { Metric, ScanHits, ScanOptions, ScoreOptions, VectorBlock } from '../types.ts';
import { METRIC_NUMBERS, type WasmExports } from '../wasm/exports.ts';
import { mustCount, readHits } from './hits.ts';
import { checkQuery, writeQuery } from './query.ts';
import { RowStore, type RowStoreOptions } from './row-store.ts';
import { PLAN_BYTES, type ScreenPlan, writePlan } from './scan-plan.ts';
import { type ScoreBounds, scoreBounds } from './score-bounds.ts';
import { encodeQuery } from './screening.ts';

/** Somebody who holds kernel memory. */
export interface Owner {
  readonly bytes: number;
}

/** What blocks and indexes work with; shared by all of a kernel. */
export interface BlockHome {
  readonly wasm: WasmExports;
  readonly arena: Arena;
  readonly scratch: Scratch;
  /** Counted in the kernel's `usedBytes` from here … */
  taken(owner: Owner): void;
  /** … to here; called once. */
  released(owner: Owner): void;
}

/** `scores` works through its offsets in pieces of this many, so that scratch memory stays small. */
const SCORES_CHUNK = 16_384;
/** The first k rows are computed in any case; when they are more than this share of the rows, bounding them first is wasted work. */
const SCREEN_MIN_ROWS_PER_HIT = 8;

export class WasmBlock implements VectorBlock {
  readonly dim: number;
  private readonly home: BlockHome;
  private readonly store: RowStore;
  private freed = false;
  /** The bytes of a row that has only begun to arrive through `appendBytes`. */
  private readonly partial: Uint8Array<ArrayBuffer>;
  private partialBytes = 0;

  constructor(home: BlockHome, options: RowStoreOptions) {
    this.home = home;
    this.dim = options.dim;
    this.store = new RowStore(home, options);
    this.partial = new Uint8Array(this.store.rowBytes);
  }

  get rows(): number {
    return this.store.rows;
  }

  get bytes(): number {
    return this.store.bytes;
  }

  reserve(rows: number): void {
    this.mustLive();
    this.store.makeRoom(rows);
  }

  append(vectors: Float32Array): void {
    this.mustLive();
    if (vectors.length % this.dim !== 0) {
      throw new KernelError('DIMENSION_MISMATCH', `append: a multiple of dim ${this.dim} floats expected, got ${vectors.length}`, {
        details: { expected: this.dim, got: vectors.length },
      });
    }
    this.mustBeWhole();
    this.store.append(new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength));
  }

  appendBytes(chunk: Uint8Array): void {
    this.mustLive();
    const rowBytes = this.partial.length;
    // Before anything is taken in, so that MEMORY_LIMIT leaves the block as it was.
    this.store.makeRoom(Math.floor((this.partialBytes + chunk.length) / rowBytes));
    let from = 0;
    if (this.partialBytes > 0) {
      from = Math.min(rowBytes - this.partialBytes, chunk.length);
      this.keepPartial(chunk.subarray(0, from));
      if (this.partialBytes < rowBytes) return;
      this.store.append(this.partial);
      this.partialBytes = 0;
    }
    const end = chunk.length - ((chunk.length - from) % rowBytes);
    this.store.append(chunk.subarray(from, end));
    this.keepPartial(chunk.subarray(end));
  }

  row(offset: number): Float32Array<ArrayBuffer> {
    this.mustLive();
    this.mustHave(offset);
    return this.store.row(offset);
  }

  scan(options: ScanOptions): ScanHits {
    this.mustLive();
    checkQuery(options.query, options.metric, this.dim);
    const bounds = scoreBounds(options);
    const { bitmap } = options;
    const rows = Math.min(mustCount('rows', options.rows ?? this.rows), this.rows, bitmap ? bitmap.length * 32 : Infinity);
    const k = Math.min(mustCount('k', options.k), rows);
    if (k === 0) return { offsets: new Uint32Array(0), scores: new Float32Array(0) };

    const { arena, scratch, wasm } = this.home;
    const words = bitmap ? Math.ceil(rows / 32) : 0;
    scratch.begin([...this.planParts(), words * 4, k * 8]);
    const bits = bitmap ? scratch.take(words * 4) : 0;
    if (bitmap) arena.u32(bits, words).set(bitmap.subarray(0, words));
    const hits = scratch.take(k * 8);
    const plan = this.placePlan(options, { rows, bitmap: bits, bounds, hits, k, screen: true });
    const result = readHits(arena, hits, wasm.scan(plan));
    scratch.end();
    return result;
  }

  scores(options: ScoreOptions): Float32Array<ArrayBuffer> {
    this.mustLive();
    checkQuery(options.query, options.metric, this.dim);
    for (const offset of options.offsets) this.mustHave(offset);
    const { arena, scratch, wasm } = this.home;
    const result = new Float32Array(options.offsets.length);
    const chunk = Math.min(SCORES_CHUNK, result.length);
    scratch.begin([...this.planParts(), chunk * 4, chunk * 4]);
    const offsets = scratch.take(chunk * 4);
    const scores = scratch.take(chunk * 4);
    const plan = this.placePlan(options, { rows: this.rows, bitmap: 0, bounds: { low: 0, high: 0 }, hits: 0, k: 0, screen: false });
    for (let from = 0; from < result.length; from += chunk) {
      const part = options.offsets.subarray(from, from + chunk);
      arena.u32(offsets, part.length).set(part);
      wasm.scoreRows(plan, offsets, part.length, scores);
      result.set(arena.f32(scores, part.length), from);
    }
    scratch.end();
    return result;
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.store.free();
    this.home.released(this);
  }

  /** Whether this block lies in the same memory. */
  isOf(home: BlockHome): boolean {
    return this.home === home && !this.freed;
  }

  /** Where the rows lie now, `strideBytes` apart: until the next call that may allocate. */
  rowsAt(): { address: number; strideBytes: number } {
    return { address: this.store.vectors, strideBytes: this.store.strideBytes };
  }

  /** Scratch memory of `placePlan`: query, its codes, the plan. */
  planParts(): number[] {
    return [this.store.strideBytes, this.store.codeBytes * 2, PLAN_BYTES];
  }

  /**
   * Writes query, codes and plan to the scratch memory (no growth between here and the call) and returns the plan's address. `screen` false:
   * without codes, for whoever scores chosen rows.
   */
  placePlan(
    options: { readonly query: Float32Array; readonly metric: Metric },
    scan: { rows: number; bitmap: number; bounds: ScoreBounds; hits: number; k: number; screen: boolean },
  ): number {
    const { arena, scratch } = this.home;
    const { store } = this;
    const query = scratch.take(store.strideBytes);
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

  private keepPartial(bytes: Uint8Array): void {
    this.partial.set(bytes, this.partialBytes);
    this.partialBytes += bytes.length;
  }

  private mustLive(): void {
    if (this.freed) throw new KernelError('INTERNAL', 'vector block: used after free()');
  }

  private mustBeWhole(): void {
    if (this.partialBytes === 0) return;
    throw new KernelError(
      'OPTION_INVALID',
      `append: a row of ${this.partial.length} bytes has only ${this.partialBytes} so far (appendBytes)`,
      {
        details: { expected: this.partial.length, got: this.partialBytes },
      },
    );
  }

  private mustHave(offset: number): void {
    if (Number.isInteger(offset) && offset >= 0 && offset < this.rows) return;
    throw new KernelError('OPTION_INVALID', `vector block: offset below ${this.rows} expected, got ${offset}`, {
      details: { rows: this.rows, got: offset },
    });
  }
}
