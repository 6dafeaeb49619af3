/**
 * A saved index of hnswlib (`HierarchicalNSW::saveIndex`), as hnswlib, hnswlib-node and hnswlib-wasm write it; only read here. Little-endian; no magic,
 * no version, no checksum, and neither the space nor the dim is named. `size` is the writer's size_t: 8 bytes on a 64-bit machine (native), 4 in WebAssembly.
 *
 *   native  wasm
 *      0      0   size  offset of the links in an element, 0
 *      8      4   size  max elements
 *     16      8   size  count
 *     24     12   size  bytes per element: label offset + size
 *     32     16   size  label offset: data offset + 4 * dim
 *     40     20   size  data offset: 4 + 4 * maxM0
 *     48     24   i32   top level (-1: empty)
 *     52     28   u32   entry point
 *     56     32   size  maxM
 *     64     36   size  maxM0
 *     72     40   size  M
 *     80     44   f64   1 / ln(M)
 *     88     52   size  efConstruction
 *     96     56   count * element: u16 links, u8 flags (bit 0: marked as deleted), u8, u32 * maxM0 neighbours; f32 * dim; size label
 *                 count * (u32 bytes, that many bytes): links of the levels above
 *
 * Nothing follows. The space 'cosine' of hnswlib-node and hnswlib-wasm keeps rows divided by their lengths. `BruteforceSearch` saves in another form,
 * which is refused. Reads: what hnswlib 0.6 to 0.8 writes (hnswlib-node 3.0.0, hnswlib-wasm 0.8.2).
 */
import { MAX_DIM } from '@terndb/core';
import { formatInvalid } from '../../bytes/damage.ts';

const WHAT = 'hnswlib index';
const DELETED = 1;
const FLAGS_AT = 2;
const LINK_BYTES = 4;

export type HnswlibLayout = 'native' | 'wasm';

export interface HnswlibRow {
  /** Labels are 64 bits in the native layout. */
  readonly label: bigint;
  /** Owned by the caller. */
  readonly vector: Float32Array<ArrayBuffer>;
}

export interface HnswlibFile {
  readonly layout: HnswlibLayout;
  readonly dim: number;
  /** Rows, those marked as deleted included. */
  readonly count: number;
  readonly m: number;
  readonly efConstruction: number;
  /** Rows not marked as deleted, in the order they were added. FORMAT_INVALID for a vector that is not finite, or a label that comes twice. */
  rows(): Generator<HnswlibRow, void>;
}

interface Header {
  readonly layout: HnswlibLayout;
  readonly headerBytes: number;
  readonly count: number;
  readonly elementBytes: number;
  readonly labelAt: number;
  readonly dataAt: number;
  readonly m: number;
  readonly efConstruction: number;
}

/**
 * Finds the layout by what must hold between the numbers, and by the length of the file. The bytes are borrowed as long as rows are read.
 * O(count) before the first row. FORMAT_INVALID.
 */
export function readHnswlib(bytes: Uint8Array): HnswlibFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(view, 'native') ?? readHeader(view, 'wasm');
  if (header === undefined) {
    throw formatInvalid(
      WHAT,
      `a file of hnswlib's HierarchicalNSW expected, got ${bytes.length} bytes of something else, or a part of one`,
    );
  }
  const { layout, count, m, efConstruction } = header;
  const dim = (header.labelAt - header.dataAt) / Float32Array.BYTES_PER_ELEMENT;
  if (dim > MAX_DIM) throw formatInvalid(WHAT, `dim ${MAX_DIM} at most expected, got ${dim}`);
  return { layout, dim, count, m, efConstruction, rows: () => readRows(view, header, dim) };
}

/** Undefined when the bytes are not of this layout. Numbers of 64 bits that no file can have become Infinity or NaN-free doubles, and fit nothing. */
function readHeader(view: DataView, layout: HnswlibLayout): Header | undefined {
  const isNative = layout === 'native';
  const sizeBytes = isNative ? 8 : 4;
  const headerBytes = isNative ? 96 : 56;
  if (view.byteLength < headerBytes) return undefined;
  const size = (at: number): number => (isNative ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true));
  const [linksAt, maxElements, count, elementBytes, labelAt, dataAt] = [0, 1, 2, 3, 4, 5].map((index) => size(index * sizeBytes)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const graphAt = 6 * sizeBytes + 8;
  const [maxM, maxM0, m] = [0, 1, 2].map((index) => size(graphAt + index * sizeBytes)) as [number, number, number];
  const fits =
    linksAt === 0 &&
    count <= maxElements &&
    maxM === m &&
    dataAt === LINK_BYTES + LINK_BYTES * maxM0 &&
    labelAt > dataAt &&
    (labelAt - dataAt) % Float32Array.BYTES_PER_ELEMENT === 0 &&
    elementBytes === labelAt + sizeBytes &&
    // Both below 2^64, so the product is finite; each row has 4 bytes more behind the elements.
    count * (elementBytes + 4) <= view.byteLength - headerBytes;
  if (!fits || !endsWithLinks(view, headerBytes + count * elementBytes, count)) return undefined;
  return { layout, headerBytes, count, elementBytes, labelAt, dataAt, m, efConstruction: size(headerBytes - sizeBytes) };
}

/** Whether `count` lists of links come at `at`, and then the end. */
function endsWithLinks(view: DataView, at: number, count: number): boolean {
  let position = at;
  for (let row = 0; row < count; row++) {
    if (position + 4 > view.byteLength) return false;
    position += 4 + view.getUint32(position, true);
  }
  return position === view.byteLength;
}

function* readRows(view: DataView, header: Header, dim: number): Generator<HnswlibRow, void> {
  const { layout, headerBytes, count, elementBytes, labelAt, dataAt } = header;
  const seen = new Set<bigint>();
  for (let row = 0; row < count; row++) {
    const at = headerBytes + row * elementBytes;
    if ((view.getUint8(at + FLAGS_AT) & DELETED) !== 0) continue;
    const label = layout === 'native' ? view.getBigUint64(at + labelAt, true) : BigInt(view.getUint32(at + labelAt, true));
    if (seen.has(label)) throw formatInvalid(WHAT, `each label once expected, got ${label} twice`);
    seen.add(label);
    const vector = new Float32Array(dim);
    for (let i = 0; i < dim; i++) {
      vector[i] = view.getFloat32(at + dataAt + i * Float32Array.BYTES_PER_ELEMENT, true);
      if (!Number.isFinite(vector[i])) throw formatInvalid(WHAT, `finite numbers expected, got ${vector[i]} in row ${label}`);
    }
    yield { label, vector };
  }
}
