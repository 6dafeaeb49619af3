import type { Arena } from '../memory/arena.ts';
import type { Scratch } from '../memory/scratch.ts';
import type { WasmExports } from '../wasm/exports.ts';
import { Columns } from './columns.ts';
import { BIT_ELEMENTS, decodeElements, ELEMENT_BYTES, ELEMENT_NUMBERS, type ElementType } from './elements.ts';
import { codeBytesOf, queryRestOf, roundingOf } from './screening.ts';

const FLOAT_BYTES = 4;
/** Rows are padded with zeros to whole SIMD registers: four float32, or eight of the elements that are widened by eights, or 128 bits. */
const LANES = 4;
const WIDENED = 8;
const BIT_LANES = 128;

const VECTORS = 0;
const NORMS = 1;
const CODES = 2;
const SCALES = 3;
const MARGINS = 4;
const SQUARES = 5;

export interface RowStoreOptions {
  /** Bits with `bit`. */
  readonly dim: number;
  readonly elements: ElementType | 'bit';
  readonly capacity: number;
  /** Keep int8 codes beside the floats (`float32` only): a quarter more memory, some three times the speed. */
  readonly screen: boolean;
}

/** Rows that lie in memory already: where each column begins. */
export interface LyingRows {
  readonly rows: number;
  readonly addresses: readonly number[];
}

/** The rows of a block in kernel memory: padded vectors and what is derived from each when it is appended. */
export class RowStore {
  readonly dim: number;
  readonly elements: ElementType | 'bit';
  /** Elements per padded row. */
  readonly stride: number;
  readonly screened: boolean;
  private readonly arena: Arena;
  private readonly scratch: Scratch;
  private readonly wasm: WasmExports;
  private readonly columns: Columns;
  private count: number;

  /** `lying`: rows of somebody else, which are read and never freed here. */
  constructor(
    home: { readonly arena: Arena; readonly wasm: WasmExports; readonly scratch: Scratch },
    options: RowStoreOptions,
    lying?: LyingRows,
  ) {
    this.arena = home.arena;
    this.scratch = home.scratch;
    this.wasm = home.wasm;
    this.dim = options.dim;
    this.elements = options.elements;
    const lanes = options.elements === 'float32' ? LANES : options.elements === 'bit' ? BIT_LANES : WIDENED;
    this.stride = Math.ceil(options.dim / lanes) * lanes;
    this.screened = options.screen;
    const derived = options.screen ? [FLOAT_BYTES, codeBytesOf(this.stride), FLOAT_BYTES, FLOAT_BYTES, FLOAT_BYTES] : [FLOAT_BYTES];
    const rowBytes = [this.strideBytes, ...derived];
    this.count = lying?.rows ?? 0;
    this.columns =
      lying === undefined
        ? Columns.create(home.arena, rowBytes, options.capacity)
        : new Columns(
            home.arena,
            rowBytes,
            lying.addresses.map((address) => ({ address, bytes: 0 })),
          );
  }

  get rows(): number {
    return this.count;
  }

  get bytes(): number {
    return this.columns.bytes;
  }

  get rowBytes(): number {
    return this.bytesOf(this.dim);
  }

  get strideBytes(): number {
    return this.bytesOf(this.stride);
  }

  /** The number by which the module knows the elements. */
  get elementNumber(): number {
    return this.elements === 'bit' ? BIT_ELEMENTS : ELEMENT_NUMBERS[this.elements];
  }

  get codeBytes(): number {
    return codeBytesOf(this.stride);
  }

  get vectors(): number {
    return this.columns.address(VECTORS);
  }

  get norms(): number {
    return this.columns.address(NORMS);
  }

  get lying(): LyingRows {
    return { rows: this.count, addresses: this.columns.addresses };
  }

  /** Addresses of what screening needs; only of a screened store. */
  get codes(): { codes: number; scales: number; margins: number; squares: number } {
    const at = (column: number) => this.columns.address(column);
    return { codes: at(CODES), scales: at(SCALES), margins: at(MARGINS), squares: at(SQUARES) };
  }

  /** `bytes`: whole rows, unpadded, little-endian elements. Uses scratch memory. Throws MEMORY_LIMIT and appends nothing. */
  append(bytes: Uint8Array): void {
    const rows = bytes.length / this.rowBytes;
    if (rows === 0) return;
    const widened = this.elements !== 'float32' && this.elements !== 'bit' ? this.stride * FLOAT_BYTES : 0;
    this.scratch.begin([widened]);
    this.makeRoom(rows);
    const target = this.arena.u8(this.vectors + this.count * this.strideBytes, rows * this.strideBytes);
    if (this.strideBytes === this.rowBytes) target.set(bytes);
    else copyPadded(target, bytes, this.strideBytes, this.rowBytes);
    this.derive(rows, this.scratch.take(widened));
    this.count += rows;
    this.scratch.end();
  }

  /** Room for `rows` more: doubles when full; near the limit takes only what is needed. */
  makeRoom(rows: number): void {
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

  /** The stored bytes of a row: a view of kernel memory. */
  rowAt(offset: number): Uint8Array<ArrayBuffer> {
    return this.arena.u8(this.vectors + offset * this.strideBytes, this.rowBytes);
  }

  /** Its float32 values, a copy; not with `bit`. */
  row(offset: number): Float32Array<ArrayBuffer> {
    return decodeElements(this.elements as ElementType, this.rowAt(offset));
  }

  free(): void {
    this.count = 0;
    this.columns.free();
  }

  private bytesOf(elements: number): number {
    return this.elements === 'bit' ? elements / 8 : elements * ELEMENT_BYTES[this.elements];
  }

  /** `widened`: room for one row of float32, for other elements. */
  private derive(rows: number, widened: number): void {
    const { wasm, vectors, strideBytes, norms, count, stride, elementNumber } = this;
    if (this.elements === 'bit') wasm.writeBitCounts(vectors, strideBytes, norms, count, rows);
    else if (this.elements === 'float32') wasm.writeNorms(vectors, strideBytes, norms, count, rows);
    else wasm.writeElementNorms(elementNumber, vectors, strideBytes, norms, count, rows, widened, stride * FLOAT_BYTES);
    if (!this.screened) return;
    const { codes, scales, margins, squares } = this.codes;
    const rounding = roundingOf(stride);
    wasm.writeCodes(vectors, strideBytes, codes, this.codeBytes, scales, margins, squares, count, rows, rounding, queryRestOf(stride));
  }
}

/** Rows of `rowBytes` into rows of `strideBytes`; memory may be used again, so the padding is written too. */
function copyPadded(target: Uint8Array, source: Uint8Array, strideBytes: number, rowBytes: number): void {
  target.fill(0);
  for (let from = 0, to = 0; from < source.length; from += rowBytes, to += strideBytes)
    target.set(source.subarray(from, from + rowBytes), to);
}
