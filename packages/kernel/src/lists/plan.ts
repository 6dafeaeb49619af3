import type { Arena } from '../memory/arena.ts';
import { codeBytes, floatBytesOf, type ListShape, layoutOf } from './layout.ts';

const PLAN_WORDS = 19;
/** Behind them the module keeps slots that wait for each other. */
const WAITING_WORDS = 4;
export const LIST_PLAN_BYTES: number = (PLAN_WORDS + WAITING_WORDS) * 4;

/** Memory of one call or one build. */
export interface ListPlaces {
  readonly query: number;
  readonly rest: number;
  readonly queryCodes: number;
}

/** Bytes of the query's codes: 16 bits a dimension against int8, four planes against bits. */
export const queryCodeBytes = (shape: ListShape): number => codeBytes(shape) * 4;

/** Writes what `assembly/lists/plan.ts` reads: 32-bit words in this order. */
export function writeListPlan(arena: Arena, address: number, base: number, shape: ListShape, places: ListPlaces): void {
  const { offsets } = layoutOf(shape);
  const [coded, bits] = [shape.codes !== 0, shape.codes === 2];
  arena
    .u32(address, PLAN_WORDS)
    .set([
      shape.rows,
      shape.dim,
      shape.metric,
      shape.codes,
      shape.lists,
      base + offsets.starts,
      base + offsets.centroids,
      floatBytesOf(shape.dim),
      base + offsets.ids,
      coded ? base + offsets.scales : 0,
      coded ? base + offsets.biases : 0,
      bits ? base + offsets.errors : 0,
      coded ? base + offsets.codes : 0,
      codeBytes(shape),
      shape.seed,
      Number(bits),
      places.query,
      places.rest,
      places.queryCodes,
    ]);
}
