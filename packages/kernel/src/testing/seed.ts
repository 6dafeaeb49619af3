import { host } from '../wasm/platform.ts';

/** `FC_SEED=123` repeats a failed property run; fast-check prints the seed. `FC_RUNS` multiplies the runs. */
export function propertyRuns(numRuns: number): { numRuns: number; seed?: number } {
  const env = (host.process as { env?: Record<string, string | undefined> } | undefined)?.env ?? {};
  const seed = env['FC_SEED'];
  const runs = numRuns * Number(env['FC_RUNS'] ?? 1);
  return seed === undefined ? { numRuns: runs } : { numRuns: runs, seed: Number(seed) };
}
