/**
 * The index that the running call works on: its plan's fields as globals, because a hot loop reads them from registers or the instance,
 * not again and again from memory that it also writes to. Set at the start of every exported call; nothing is kept for the next one.
 */
import { COSINE } from '../distance/score';
import { GraphPlan } from './plan';

/** End of a list of links, and "no entry". */
export const NONE: u32 = 0xffffffff;
/** The fields of the header that change while building. */
const LINKED: usize = 60, ENTRY: usize = 64, MAX_LEVEL: usize = 68;

export let header: usize = 0;
export let rows: u32 = 0;
export let metric: u32 = 0;
export let coded: bool = false;
/** Codes of one bit. */
export let bits: bool = false;
export let m: u32 = 0;
export let seed: u32 = 0;
export let upperStart: usize = 0;
export let scales: usize = 0;
export let squares: usize = 0;
export let links: usize = 0;
export let upper: usize = 0;
export let vectors: usize = 0;
export let rowBytes: usize = 0;
export let visited: usize = 0;
export let batch: usize = 0;
export let keys: usize = 0;
export let selected: usize = 0;
export let kept: usize = 0;
export let sorted: usize = 0;
/** Of float32 rows, or 0: `screened.ts`. */
export let screenCodes: usize = 0;
export let screenBytes: usize = 0;
export let screenScales: usize = 0;
export let screenMargins: usize = 0;
export let screenSquares: usize = 0;
/** Distances computed by this call: what the planner's constants are made of. */
export let distances: u32 = 0;

export function attach(plan: GraphPlan): void {
  header = plan.header;
  rows = plan.rows;
  metric = plan.metric;
  coded = plan.coded != 0;
  bits = plan.coded == 2;
  m = plan.m;
  seed = plan.seed;
  upperStart = plan.upperStart;
  scales = plan.scales;
  squares = plan.squares;
  links = plan.links;
  upper = plan.upper;
  vectors = plan.vectors;
  rowBytes = plan.rowBytes;
  visited = plan.visited;
  batch = plan.batch;
  keys = plan.keys;
  selected = plan.selected;
  kept = plan.kept;
  sorted = plan.sorted;
  screenCodes = plan.screenCodes;
  screenBytes = plan.screenBytes;
  screenScales = plan.screenScales;
  screenMargins = plan.screenMargins;
  screenSquares = plan.screenSquares;
  distances = 0;
  assert(rowBytes % 16 == 0 && m >= 2 && plan.visitedBytes >= rows);
  assert(bits || (coded || metric == COSINE) == (scales != 0));
}

@inline
export function countDistances(count: u32): void {
  distances += count;
}

@inline
export function linkedRows(): u32 {
  return load<u32>(header, LINKED);
}
@inline
export function entryRow(): u32 {
  return load<u32>(header, ENTRY);
}
@inline
export function maxLevel(): i32 {
  return load<i32>(header, MAX_LEVEL);
}
@inline
export function setLinked(count: u32): void {
  store<u32>(header, count, LINKED);
}
@inline
export function setEntry(row: u32, level: i32): void {
  store<u32>(header, row, ENTRY);
  store<i32>(header, level, MAX_LEVEL);
}

@inline
export function rowAddress(row: u32): usize {
  assert(row < rows);
  return vectors + <usize>row * rowBytes;
}

/** Links that fit on a level. */
@inline
export function width(level: u32): u32 {
  return level == 0 ? m << 1 : m;
}

/** The list of links of a row on a level; the row must reach that level. */
@inline
export function linksOf(row: u32, level: u32): usize {
  assert(row < rows);
  if (level == 0) return links + (<usize>row * m << 3);
  assert(level <= levelOf(seed, m, row));
  return upper + ((<usize>load<u32>(upperStart + (<usize>row << 2)) + level - 1) * m << 2);
}

/** No list is deeper, whatever m is. */
const DEEPEST: u32 = 15;

/** Mixes seed and row to 32 even bits (the finaliser of MurmurHash3, twice). */
@inline
function mix(value: u32): u32 {
  value ^= value >> 16;
  value *= 0x85ebca6b;
  value ^= value >> 13;
  value *= 0xc2b2ae35;
  return value ^ (value >> 16);
}

/**
 * Highest level of a row: l or more with probability m⁻ˡ (the paper's mL = 1/ln m), from seed and row alone, in integers. So the number
 * of upper lists of any number of rows is known before a row is stored, and a reader can check it.
 */
export function levelOf(seed: u32, m: u32, row: u32): u32 {
  const bits = mix(mix(row + 0x9e3779b9) ^ seed);
  let level: u32 = 0;
  for (let share = <u32>(0x100000000 / <u64>m); bits < share && level < DEEPEST; share /= m) level++;
  return level;
}

/** Upper lists of the rows from `from` (inclusive) to `to`. */
export function upperLists(seed: u32, m: u32, from: u32, to: u32): u32 {
  let lists: u32 = 0;
  for (let row = from; row < to; row++) lists += levelOf(seed, m, row);
  return lists;
}
