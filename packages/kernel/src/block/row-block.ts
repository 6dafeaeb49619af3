import { KernelError } from '../errors.ts';
import type { ScanHits } from '../types.ts';
import { mustCount, noHits, readHits } from './hits.ts';
import type { BlockHome } from './home.ts';
import { type LyingRows, RowStore, type RowStoreOptions } from './row-store.ts';
import { type ScoreBounds, scoreBounds } from './score-bounds.ts';

/** `scores` works through its offsets in pieces of this many, so that scratch memory stays small. */
const SCORES_CHUNK = 16_384;

/** What a search of rows asks, whatever they are made of. */
export interface RowScan {
  readonly k: number;
  readonly rows?: number;
  readonly bitmap?: Uint32Array;
  readonly minScore?: number;
  readonly maxScore?: number;
}

/** Where a plan finds what does not come from the query. */
export interface PlacedScan {
  readonly rows: number;
  readonly bitmap: number;
  readonly bounds: ScoreBounds;
  readonly hits: number;
  readonly k: number;
  readonly screen: boolean;
}

const NO_BOUNDS: ScoreBounds = { low: 0, high: 0 };

/** What blocks of any rows have in common: bytes come in, rows are scanned and scored by a plan that the heirs write. */
export abstract class RowBlock<Query> {
  readonly dim: number;
  protected readonly home: BlockHome;
  protected readonly store: RowStore;
  private freed = false;
  /** The bytes of a row that has only begun to arrive through `appendBytes`. */
  private readonly partial: Uint8Array<ArrayBuffer>;
  private partialBytes = 0;

  constructor(home: BlockHome, options: RowStoreOptions, lying?: LyingRows) {
    this.home = home;
    this.dim = options.dim;
    this.store = new RowStore(home, options, lying);
    this.partial = new Uint8Array(this.store.rowBytes);
  }

  /** Scratch memory of `placePlan`. */
  abstract planParts(): number[];

  /** Writes query and plan to the scratch memory (no growth between here and the call) and returns the plan's address. */
  abstract placePlan(query: Query, scan: PlacedScan): number;

  get rows(): number {
    return this.store.rows;
  }

  get bytes(): number {
    return this.store.bytes;
  }

  reserve(rows: number): void {
    this.mustBeMutable();
    this.store.makeRoom(rows);
  }

  appendBytes(chunk: Uint8Array): void {
    this.mustBeMutable();
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

  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.home.pins.whenFree(this, () => {
      this.store.free();
      this.home.released(this);
    });
  }

  /** What another thread needs to read the rows: `RowStore` takes it. */
  share(): RowStoreOptions & { readonly lying: LyingRows } {
    this.mustLive();
    const { dim, store } = this;
    return { dim, elements: store.elements, capacity: 0, screen: store.screened, lying: store.lying };
  }

  /** Whether this block lies in the same memory. */
  isOf(home: BlockHome): boolean {
    return this.home === home && !this.freed;
  }

  protected scanWith(query: Query, options: RowScan): ScanHits {
    const bounds = scoreBounds(options);
    const { bitmap } = options;
    const rows = Math.min(mustCount('rows', options.rows ?? this.rows), this.rows, bitmap ? bitmap.length * 32 : Infinity);
    const k = Math.min(mustCount('k', options.k), rows);
    if (k === 0) return noHits();

    const { arena, scratch, wasm } = this.home;
    const words = bitmap ? Math.ceil(rows / 32) : 0;
    scratch.begin([...this.planParts(), words * 4, k * 8]);
    const bits = bitmap ? scratch.take(words * 4) : 0;
    if (bitmap) arena.u32(bits, words).set(bitmap.subarray(0, words));
    const hits = scratch.take(k * 8);
    const plan = this.placePlan(query, { rows, bitmap: bits, bounds, hits, k, screen: true });
    const result = readHits(arena, hits, wasm.scan(plan));
    scratch.end();
    return result;
  }

  protected scoresWith(query: Query, wanted: Uint32Array): Float32Array<ArrayBuffer> {
    for (const offset of wanted) this.mustHave(offset);
    const { arena, scratch, wasm } = this.home;
    const result = new Float32Array(wanted.length);
    const chunk = Math.min(SCORES_CHUNK, result.length);
    scratch.begin([...this.planParts(), chunk * 4, chunk * 4]);
    const offsets = scratch.take(chunk * 4);
    const scores = scratch.take(chunk * 4);
    const plan = this.placePlan(query, { rows: this.rows, bitmap: 0, bounds: NO_BOUNDS, hits: 0, k: 0, screen: false });
    for (let from = 0; from < result.length; from += chunk) {
      const part = wanted.subarray(from, from + chunk);
      arena.u32(offsets, part.length).set(part);
      wasm.scoreRows(plan, offsets, part.length, scores);
      result.set(arena.f32(scores, part.length), from);
    }
    scratch.end();
    return result;
  }

  protected mustLive(): void {
    if (this.freed) throw new KernelError('INTERNAL', 'vector block: used after free()');
  }

  /** Appends whole rows of `perRow` given `things` each. Throws DIMENSION_MISMATCH, and what `mustBeMutable` and `mustBeWhole` throw. */
  protected appendRows(
    given: number,
    { perRow, things }: { readonly perRow: number; readonly things: string },
    encode: () => Uint8Array,
  ): void {
    this.mustBeMutable();
    if (given % perRow !== 0) {
      throw new KernelError('DIMENSION_MISMATCH', `append: a multiple of ${things} expected, got ${given}`, {
        details: { expected: perRow, got: given },
      });
    }
    this.mustBeWhole();
    this.store.append(encode());
  }

  /** Lives, and nobody else reads it now. */
  private mustBeMutable(): void {
    this.mustLive();
    this.home.pins.mustBeFree(this, 'vector block');
  }

  private mustBeWhole(): void {
    if (this.partialBytes === 0) return;
    throw new KernelError(
      'OPTION_INVALID',
      `append: a row of ${this.partial.length} bytes has only ${this.partialBytes} so far (appendBytes)`,
      { details: { expected: this.partial.length, got: this.partialBytes } },
    );
  }

  protected mustHave(offset: number): void {
    if (Number.isInteger(offset) && offset >= 0 && offset < this.rows) return;
    throw new KernelError('OPTION_INVALID', `vector block: offset below ${this.rows} expected, got ${offset}`, {
      details: { rows: this.rows, got: offset },
    });
  }

  private keepPartial(bytes: Uint8Array): void {
    this.partial.set(bytes, this.partialBytes);
    this.partialBytes += bytes.length;
  }
}
