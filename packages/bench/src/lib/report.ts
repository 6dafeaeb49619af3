import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

export { median, percentile, round } from './numbers.ts';

/** Tiny inputs, so that the test run sees that every bench still works. */
export const tiny: boolean = process.env['BENCH_TINY'] === '1';

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

/** Prints one JSON line: what was measured, on what machine, with which versions. */
export function report(bench: string, figures: Readonly<Record<string, unknown>>): void {
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30) };
  const line = { bench, tiny, ...figures, node: process.version, machine, commit: commit(), date: new Date().toISOString() };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
