import { screenFlush, screenGroup } from '../screen/screen';
import { heapFinish, heapReset } from '../topk/heap';
import { nextBit } from './bits';
import { offerGroup } from './group';
import { Plan } from './plan';

/** Rows that follow each other. */
@inline
function visitNext(plan: Plan, row: u32): void {
  if (plan.codes) screenGroup(plan, row, row + 1, row + 2, row + 3, 4, true);
  else offerGroup(plan, row, row + 1, row + 2, row + 3, 4);
}

function visit(plan: Plan, a: u32, b: u32, c: u32, d: u32, lanes: u32): void {
  if (plan.codes) screenGroup(plan, a, b, c, d, lanes, false);
  else offerGroup(plan, a, b, c, d, lanes);
}

function scanAll(plan: Plan): void {
  const rows = plan.rows, whole = rows & ~3;
  let row: u32 = 0;
  for (; row < whole; row += 4) visitNext(plan, row);
  const rest = rows - whole;
  if (rest) visit(plan, row, rest > 1 ? row + 1 : row, rest > 2 ? row + 2 : row, row, rest);
}

/** Set bits are taken four at a time, wherever they are. */
function scanBits(plan: Plan): void {
  const rows = plan.rows, bitmap = plan.bitmap;
  let a = nextBit(bitmap, 0, rows);
  while (a < rows) {
    const b = nextBit(bitmap, a + 1, rows);
    const c = nextBit(bitmap, b + 1, rows);
    const d = nextBit(bitmap, c + 1, rows);
    const lanes: u32 = 1 + u32(b < rows) + u32(c < rows) + u32(d < rows);
    visit(plan, a, b < rows ? b : a, c < rows ? c : a, d < rows ? d : a, lanes);
    a = nextBit(bitmap, d + 1, rows);
  }
}

/**
 * The best `k` rows, as (offset, score) pairs at `plan.hits`, best first, equal scores by ascending offset. Returns their number.
 * With or without screening the result is the same to the last bit.
 */
export function scan(plan: Plan): u32 {
  assert(plan.k > 0 && plan.rowBytes % 8 == 0 && plan.codeBytes % 16 == 0);
  heapReset(plan.hits, plan.k, plan.minScore, plan.maxScore);
  if (plan.bitmap) scanBits(plan);
  else scanAll(plan);
  if (plan.codes) screenFlush(plan);
  return heapFinish();
}
