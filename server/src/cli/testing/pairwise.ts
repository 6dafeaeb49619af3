/** Name of a factor → its values. */
export type Factors = Readonly<Record<string, readonly string[]>>;
export type Row<F extends Factors> = { readonly [Name in keyof F]: F[Name][number] };

const pairOf = (a: string, x: string, b: string, y: string): string => (a < b ? `${a}=${x} ${b}=${y}` : `${b}=${y} ${a}=${x}`);

/** Every two values of two factors. */
export function pairsOf(factors: Factors): Set<string> {
  const pairs = new Set<string>();
  const names = Object.keys(factors);
  for (const a of names) {
    for (const b of names) {
      if (a >= b) continue;
      for (const x of factors[a]!) for (const y of factors[b]!) pairs.add(pairOf(a, x, b, y));
    }
  }
  return pairs;
}

/** The pairs of one row, whole or begun. */
export function pairsIn(row: Readonly<Record<string, string>>): string[] {
  const names = Object.keys(row);
  return names.flatMap((a, index) => names.slice(index + 1).map((b) => pairOf(a, row[a]!, b, row[b]!)));
}

/**
 * Rows in which every two values of two factors meet at least once: most faults of a configuration are of one setting or of two. Greedy, and
 * without chance: the same factors give the same rows.
 */
export function pairwise<F extends Factors>(factors: F): Row<F>[] {
  const names = Object.keys(factors);
  const missing = pairsOf(factors);
  const rows: Row<F>[] = [];
  while (missing.size > 0) {
    const row: Record<string, string> = {};
    // The first pair that is missing begins the row; each other factor takes the value that meets the most missing ones.
    const [first] = missing;
    for (const part of first!.split(' ')) {
      const at = part.indexOf('=');
      row[part.slice(0, at)] = part.slice(at + 1);
    }
    for (const name of names) row[name] ??= bestValue(row, name, factors[name]!, missing);
    for (const pair of pairsIn(row)) missing.delete(pair);
    rows.push(Object.fromEntries(names.map((name) => [name, row[name]])) as Row<F>);
  }
  return rows;
}

function bestValue(row: Readonly<Record<string, string>>, name: string, values: readonly string[], missing: ReadonlySet<string>): string {
  const met = values.map((value) => Object.keys(row).filter((other) => missing.has(pairOf(other, row[other]!, name, value))).length);
  return values[met.indexOf(Math.max(...met))]!;
}
