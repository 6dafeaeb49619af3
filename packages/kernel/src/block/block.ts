import { KernelError } from '../errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { Scratch } from '../memory/scratch.ts';
import type { Metric, ScanHits, ScanOptions, VectorBlock } from '../types.ts';
import { METRIC_NUMBERS, type WasmExports } from '../wasm/exports.ts';
import { Columns } from './columns.ts';
import { checkQuery, writeQuery } from './query.ts';
import { scoreBounds } from './score-bounds.ts';

/** What a block works with; shared by all blocks of a kernel. */
export interface BlockHome {
  readonly wasm: WasmExports;
  readonly arena: Arena;
  readonly scratch: Scratch;
  /** Called once, when the block is freed. */
  released(block: WasmBlock): void;
}

const FLOAT_BYTES = 4;
/** Rows are padded with zeros to whole SIMD registers. */
const LANES = 4;
/** `scores` works through its offsets in pieces of this many, so that scratch memory stays small. */
const SCORES_CHUNK = 16_384;

const VECTORS = 0;
const NORMS = 1;

export class WasmBlock implements VectorBlock {
  readonly dim: number;
  private readonly home: BlockHome;
  private readonly columns: Columns;
  private readonly stride: number;
  private count = 0;
  private freed = false;
  /** The bytes of a row that has only begun to arrive through `appendBytes`. */
  private readonly partial: Uint8Array<ArrayBuffer>;
  private partialBytes = 0;

  constructor(home: BlockHome, options: { dim: number; capacity: number }) {
    this.home = home;
    this.dim = options.dim;
    this.stride = Math.ceil(options.dim / LANES) * LANES;
    this.partial = new Uint8Array(options.dim * FLOAT_BYTES);
    this.columns = new Columns(home.arena, [this.stride * FLOAT_BYTES, FLOAT_BYTES], options.capacity);
  }

  get rows(): number {
    return this.count;
  }

  get bytes(): number {
    return this.columns.bytes;
  }

  append(vectors: Float32Array): void {
    this.mustLive();
    if (vectors.length % this.dim !== 0) {
      throw new KernelError('DIMENSION_MISMATCH', `append: a multiple of dim ${this.dim} floats expected, got ${vectors.length}`, {
        details: { expected: this.dim, got: vectors.length },
      });
    }
    this.mustBeWhole();
    this.appendRows(new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength));
  }

  appendBytes(chunk: Uint8Array): void {
    this.mustLive();
    const rowBytes = this.partial.length;
    const rows = Math.floor((this.partialBytes + chunk.length) / rowBytes);
    this.makeRoom(rows);
    let at = 0;
    if (this.partialBytes > 0) {
      at = Math.min(rowBytes - this.partialBytes, chunk.length);
      this.partial.set(chunk.subarray(0, at), this.partialBytes);
      this.partialBytes += at;
      if (this.partialBytes < rowBytes) return;
      this.appendRows(this.partial);
      this.partialBytes = 0;
    }
    const end = chunk.length - ((chunk.length - at) % rowBytes);
    this.appendRows(chunk.subarray(at, end));
    this.partial.set(chunk.subarray(end));
    this.partialBytes = chunk.length - end;
  }

  row(offset: number): Float32Array<ArrayBuffer> {
    this.mustLive();
    this.mustHave(offset);
    return this.home.arena.f32(this.columns.address(VECTORS) + offset * this.stride * FLOAT_BYTES, this.dim).slice();
  }

  scan(options: ScanOptions): ScanHits {
    this.mustLive();
    checkQuery(options.query, options.metric, this.dim);
    const { low, high } = scoreBounds(options);
    const { bitmap } = options;
    const rows = Math.min(mustCount('rows', options.rows ?? this.count), this.count, bitmap ? bitmap.length * 32 : Infinity);
    const k = Math.min(mustCount('k', options.k), rows);
    if (k === 0) return { offsets: new Uint32Array(0), scores: new Float32Array(0) };

    const { arena, scratch, wasm } = this.home;
    const queryBytes = this.stride * FLOAT_BYTES;
    const words = bitmap ? Math.ceil(rows / 32) : 0;
    scratch.begin([queryBytes, words * 4, k * 8]);
    const query = this.placeQuery(options.query, options.metric);
    const bits = bitmap ? scratch.take(words * 4) : 0;
    if (bitmap) arena.u32(bits, words).set(bitmap.subarray(0, words));
    const hits = scratch.take(k * 8);
    const metric = METRIC_NUMBERS[options.metric];
    const vectors = this.columns.address(VECTORS);
    const found = wasm.scan(metric, query, vectors, queryBytes, this.norms(options.metric), rows, bits, low, high, hits, k);
    const result = readHits(arena, hits, found);
    scratch.end();
    return result;
  }

  scores(options: { readonly query: Float32Array; readonly metric: Metric; readonly offsets: Uint32Array }): Float32Array<ArrayBuffer> {
    this.mustLive();
    checkQuery(options.query, options.metric, this.dim);
    for (const offset of options.offsets) this.mustHave(offset);
    const { arena, scratch, wasm } = this.home;
    const result = new Float32Array(options.offsets.length);
    const chunk = Math.min(SCORES_CHUNK, options.offsets.length);
    const queryBytes = this.stride * FLOAT_BYTES;
    scratch.begin([queryBytes, chunk * 4, chunk * 4]);
    const query = this.placeQuery(options.query, options.metric);
    const offsets = scratch.take(chunk * 4);
    const scores = scratch.take(chunk * 4);
    const metric = METRIC_NUMBERS[options.metric];
    const vectors = this.columns.address(VECTORS);
    for (let from = 0; from < result.length; from += chunk) {
      const part = options.offsets.subarray(from, from + chunk);
      arena.u32(offsets, part.length).set(part);
      wasm.scoreRows(metric, query, vectors, queryBytes, this.norms(options.metric), offsets, part.length, scores);
      result.set(arena.f32(scores, part.length), from);
    }
    scratch.end();
    return result;
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.count = 0;
    this.columns.free();
    this.home.released(this);
  }

  /** `bytes`: whole rows, unpadded. */
  private appendRows(bytes: Uint8Array): void {
    const rowBytes = this.partial.length;
    const rows = bytes.length / rowBytes;
    if (rows === 0) return;
    this.makeRoom(rows);
    const { arena, wasm } = this.home;
    const strideBytes = this.stride * FLOAT_BYTES;
    const vectors = this.columns.address(VECTORS);
    const target = arena.u8(vectors + this.count * strideBytes, rows * strideBytes);
    if (strideBytes === rowBytes) target.set(bytes);
    else copyPadded(target, bytes, strideBytes, rowBytes);
    wasm.writeNorms(vectors, strideBytes, this.columns.address(NORMS), this.count, rows);
    this.count += rows;
  }

  /** Doubles when full; near the limit takes only what is needed. */
  private makeRoom(rows: number): void {
    const wanted = this.count + rows;
    const { capacity } = this.columns;
    if (wanted <= capacity) return;
    const doubled = Math.max(wanted, capacity * 2);
    try {
      this.columns.grow(doubled, this.count);
    } catch (error) {
      if (doubled === wanted) throw error;
      this.columns.grow(wanted, this.count);
    }
  }

  private placeQuery(query: Float32Array, metric: Metric): number {
    const address = this.home.scratch.take(this.stride * FLOAT_BYTES);
    writeQuery(this.home.arena.f32(address, this.stride), query, metric);
    return address;
  }

  private norms(metric: Metric): number {
    return metric === 'COSINE' ? this.columns.address(NORMS) : 0;
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
    if (Number.isInteger(offset) && offset >= 0 && offset < this.count) return;
    throw new KernelError('OPTION_INVALID', `vector block: offset below ${this.count} expected, got ${offset}`, {
      details: { rows: this.count, got: offset },
    });
  }
}

function mustCount(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new KernelError('QUERY_INVALID', `query: ${name} is a non-negative integer, got ${value}`, { details: { [name]: value } });
}

/** Rows of `rowBytes` into rows of `strideBytes`; memory may be used again, so the padding is written too. */
function copyPadded(target: Uint8Array, source: Uint8Array, strideBytes: number, rowBytes: number): void {
  target.fill(0);
  for (let from = 0, to = 0; from < source.length; from += rowBytes, to += strideBytes)
    target.set(source.subarray(from, from + rowBytes), to);
}

function readHits(arena: Arena, address: number, count: number): ScanHits {
  const offsets = new Uint32Array(count);
  const scores = new Float32Array(count);
  const words = arena.u32(address, count * 2);
  const floats = arena.f32(address, count * 2);
  for (let index = 0; index < count; index++) {
    offsets[index] = words[index * 2]!;
    scores[index] = floats[index * 2 + 1]!;
  }
  return { offsets, scores };
}
