/** Options of every `fc.assert`: `FC_SEED=<seed>` repeats a run that failed, `FC_RUNS=<n>` makes it longer. A failure prints its seed. */
export function propertyOptions(numRuns: number): { numRuns: number; seed?: number } {
  const env = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env ?? {};
  const seed = env['FC_SEED'];
  const runs = Number(env['FC_RUNS'] ?? numRuns);
  return seed === undefined ? { numRuns: runs } : { numRuns: runs, seed: Number(seed) };
}
