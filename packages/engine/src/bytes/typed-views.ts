/** Sections start at multiples of this, so that every typed array, and a cache line, can be mapped onto them. */
export const SECTION_ALIGNMENT = 64;

export function alignUp(bytes: number): number {
  return Math.ceil(bytes / SECTION_ALIGNMENT) * SECTION_ALIGNMENT;
}

/** Typed arrays over bytes without copying, where alignment allows; `bytes.length` is a multiple of the element's size. Little-endian hosts. */
export function asUint16(bytes: Uint8Array): Uint16Array {
  const aligned = alignedTo(bytes, 2);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
}

export function asUint32(bytes: Uint8Array): Uint32Array {
  const aligned = alignedTo(bytes, 4);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}

export function asFloat32(bytes: Uint8Array): Float32Array {
  const aligned = alignedTo(bytes, 4);
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}

export function asFloat64(bytes: Uint8Array): Float64Array {
  const aligned = alignedTo(bytes, 8);
  return new Float64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 8);
}

export function asBigInt64(bytes: Uint8Array): BigInt64Array {
  const aligned = alignedTo(bytes, 8);
  return new BigInt64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 8);
}

export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function alignedTo(bytes: Uint8Array, alignment: number): Uint8Array {
  return bytes.byteOffset % alignment === 0 ? bytes : bytes.slice();
}
