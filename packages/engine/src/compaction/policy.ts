/**
 * Which sealed segments a seal rewrites together with the growing rows: size-tiered, so that a row is rewritten O(log rows) times and a
 * channel has a few segments per size. Pure: sizes in, choice out.
 */
export interface SegmentSize {
  readonly rows: number;
  readonly live: number;
}

/** Smaller ones are rewritten by every seal: one small object rather than many. */
export const SMALL_SEGMENT_ROWS = 2_048;
/** Segments of one tier differ in size by less than this; so many of them become one of the next tier. */
const TIER_FACTOR = 4;
/** More than this share of dead rows costs every scan, and space: rewrite (design 6). */
const MAX_DEAD_SHARE = 0.2;
/**
 * One rewrite handles at most so many rows: it holds up the worker for some 8 microseconds per row of 384 dimensions, so about a second at
 * most and rarely, and needs the rows' memory twice.
 */
export const MAX_REWRITE_ROWS = 131_072;

/** Large segments that together fill this share of the largest rewrite become one: so a row comes here once, rarely twice. */
const LARGE_SHARE = 0.7;

/** Indexes of the segments to rewrite, ascending. Empty: none. `maxRows`: of one rewrite; a host with more memory and other threads may take more. */
export function chooseRewrites(segments: readonly SegmentSize[], growingRows: number, maxRows: number = MAX_REWRITE_ROWS): number[] {
  const chosen = new Set<number>();
  let total = growingRows;
  const choose = (index: number): void => {
    const { live } = segments[index]!;
    if (chosen.has(index) || (chosen.size > 0 && total + live > maxRows)) return;
    chosen.add(index);
    total += live;
  };
  segments.forEach(({ rows, live }, index) => {
    if (rows - live > rows * MAX_DEAD_SHARE) choose(index);
  });
  const small = indexesOf(segments, ({ live }) => live <= SMALL_SEGMENT_ROWS);
  if (growingRows > 0 || small.length > 1) for (const index of small) choose(index);
  // Four of the last tier would be too many rows for one rewrite.
  for (let tier = 0; tier < tierOf(maxRows); tier++) {
    const members = indexesOf(segments, ({ live }, index) => !chosen.has(index) && tierOf(live) === tier);
    const incoming = total > 0 && tierOf(total) === tier ? 1 : 0;
    if (members.length + incoming >= TIER_FACTOR) for (const index of members) choose(index);
  }
  for (const index of largeThatFit(segments, { chosen, maxRows, total })) choose(index);
  return [...chosen].sort((a, b) => a - b);
}

/**
 * The smallest of the last tier, if they fill a rewrite together with the `total` rows of this one. Every graph more costs each search a walk
 * (`npm run bench -- graph`).
 */
function largeThatFit(
  segments: readonly SegmentSize[],
  { chosen, maxRows, total }: { readonly chosen: ReadonlySet<number>; readonly maxRows: number; readonly total: number },
): readonly number[] {
  const last = tierOf(maxRows);
  const large = indexesOf(segments, ({ live }, index) => !chosen.has(index) && tierOf(live) >= last);
  large.sort((a, b) => segments[a]!.live - segments[b]!.live);
  const fitting: number[] = [];
  let sum = total;
  for (const index of large) {
    if (sum + segments[index]!.live > maxRows) break;
    sum += segments[index]!.live;
    fitting.push(index);
  }
  const members = fitting.length + (tierOf(total) >= last ? 1 : 0);
  return members > 1 && sum >= maxRows * LARGE_SHARE ? fitting : [];
}

function indexesOf(segments: readonly SegmentSize[], matches: (segment: SegmentSize, index: number) => boolean): number[] {
  return segments.flatMap((segment, index) => (matches(segment, index) ? [index] : []));
}

/** 0 up to SMALL_SEGMENT_ROWS, then one more for each factor. */
function tierOf(rows: number): number {
  return Math.max(0, Math.ceil(Math.log2(rows / SMALL_SEGMENT_ROWS) / Math.log2(TIER_FACTOR)));
}
