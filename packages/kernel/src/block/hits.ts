import { KernelError } from '../errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { ScanHits } from '../types.ts';

/** A non-negative integer of a query; throws QUERY_INVALID. */
export function mustCount(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new KernelError('QUERY_INVALID', `query: ${name} is a non-negative integer, got ${value}`, { details: { [name]: value } });
}

export function noHits(): ScanHits {
  return { offsets: new Uint32Array(0), scores: new Float32Array(0) };
}

/** Copies `count` (offset, score) pairs out of kernel memory. */
export function readHits(arena: Arena, address: number, count: number): ScanHits {
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
