/** Whether the sections of an opened index can be walked without reading anything else. The header is checked by the host before. */
import { attach, entryRow, levelOf, linkedRows, linksOf, m, maxLevel, NONE, scales, seed, upperStart, width } from './index';
import { GraphPlan } from './plan';

/** What is wrong; `src/index/open.ts` has the words. */
const VALID: u32 = 0, BAD_COUNTS: u32 = 1, BAD_ENTRY: u32 = 2, BAD_UPPER: u32 = 3, BAD_LINKS: u32 = 4, BAD_SCALE: u32 = 5;

/** Links come first, then only NONE; each leads to a linked row that reaches the level. */
function isList(list: usize, level: u32, size: u32, linked: u32): bool {
  let ended = false;
  for (let at = list, end = list + (<usize>size << 2); at < end; at += 4) {
    const id = load<u32>(at);
    if (id == NONE) ended = true;
    else if (ended || id >= linked || (level > 0 && levelOf(seed, m, id) < level)) return false;
  }
  return true;
}

function areFloats(values: usize, rows: u32): bool {
  if (!values) return true;
  for (let row: u32 = 0; row < rows; row++) if (!(load<f32>(values + (<usize>row << 2)) >= 0)) return false;
  return true;
}

/** `lists`: upper lists that the sections have room for. 0, or what is wrong. O(rows · m). */
export function graphValidate(plan: GraphPlan, lists: u32): u32 {
  attach(plan);
  const linked = linkedRows(), entry = entryRow(), top = maxLevel();
  if (linked > plan.rows) return BAD_COUNTS;
  if (linked == 0) {
    if (entry != NONE || top != -1) return BAD_ENTRY;
  } else if (entry >= linked || top != <i32>levelOf(seed, m, entry)) return BAD_ENTRY;
  let start: u32 = 0;
  for (let row: u32 = 0; row < plan.rows; row++) {
    if (load<u32>(upperStart + (<usize>row << 2)) != start) return BAD_UPPER;
    start += levelOf(seed, m, row);
    if (start > lists) return BAD_UPPER;
  }
  if (start != lists) return BAD_UPPER;
  for (let row: u32 = 0; row < plan.rows; row++) {
    // A row that is not linked yet has no links: nothing is below 0.
    const reach = row < linked ? linked : 0;
    for (let level: u32 = 0, most = levelOf(seed, m, row); level <= most; level++) {
      if (!isList(linksOf(row, level), level, width(level), reach)) return BAD_LINKS;
    }
  }
  if (!areFloats(scales, plan.rows) || !areFloats(plan.squares, plan.rows) || !areFloats(plan.fineSquares, plan.rows)) return BAD_SCALE;
  return VALID;
}
