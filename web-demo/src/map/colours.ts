/** By which field points are coloured. */
export type ColourField = 'topic' | 'kind' | 'source';

export interface LegendEntry {
  /** Null: all values that have no colour of their own. */
  readonly value: string | null;
  readonly count: number;
}
export interface Colouring {
  /** Most frequent first; the rest last, if there is one. */
  readonly legend: readonly LegendEntry[];
  /** Of each point: its entry of the legend. */
  readonly entryOf: Uint8Array;
}

/** As many hues as people tell apart; what is rarer shares a grey. */
export const MAX_HUES = 9;

/** A colour for each of the most frequent values; equal counts by name, so that colours do not jump. */
export function colourBy(values: readonly (string | null)[]): Colouring {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  const ordered = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const own = ordered.slice(0, MAX_HUES).map(([value, count]) => ({ value, count }));
  const entryByValue = new Map(own.map(({ value }, i) => [value, i]));
  const entryOf = Uint8Array.from(values, (value) => (value === null ? own.length : (entryByValue.get(value) ?? own.length)));
  const rest = values.length - own.reduce((sum, { count }) => sum + count, 0);
  return { legend: rest === 0 ? own : [...own, { value: null, count: rest }], entryOf };
}

/** After Okabe and Ito, and Tol: told apart without red or green, and each at least 3:1 against the page. The last one is the grey of the rest. */
export const PALETTES = {
  light: ['#0072b2', '#c2410c', '#00815b', '#a6488f', '#8a6d00', '#3d85c6', '#5b3fa8', '#b3264a', '#4c6b1f', '#7f8b95'],
  dark: ['#56b4e9', '#ff9e6d', '#2fc99a', '#e39bd1', '#e6c229', '#8fb8ff', '#b9a1ff', '#ff8fa3', '#b5d36b', '#8796a3'],
} as const;

export function colourOf(palette: readonly string[], entry: number, legend: readonly LegendEntry[]): string {
  return palette[legend[entry]?.value === null ? palette.length - 1 : entry] ?? palette.at(-1)!;
}
