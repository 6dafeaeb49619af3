import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

/** Tiny inputs, so that the test run sees that every bench still works. */
export const tiny: boolean = process.env['BENCH_TINY'] === '1';

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Nearest rank; NaN for no values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}

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
