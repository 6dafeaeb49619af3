import { ABLATIONS, type AblationName, type Ablations } from '@terndb/sync/testing';
import { PROFILES } from './profiles.ts';
import { runSeed } from './run-seed.ts';
import { FAULTS, type Fault, LATER_FAULTS } from './swarm.ts';

/**
 * `npm run sim -- --seeds N [--seed S] [--ablate NAME|all] [--only FAULT,FAULT] [--also FAULT,FAULT] [--trace]`
 * Runs seeds S … S + N - 1, prints progress, what failed with the command that repeats it, and what happened in total.
 */
interface Options {
  readonly seeds: number;
  readonly seed: number;
  readonly ablate: string | undefined;
  readonly only: readonly Fault[] | undefined;
  readonly also: readonly Fault[] | undefined;
  readonly keepsTrace: boolean;
}

const PROGRESS_SEEDS = 500;
const SHOWN_FAILURES = 20;

function parse(argv: readonly string[]): Options {
  const value = (name: string): string | undefined => {
    const at = argv.indexOf(`--${name}`);
    return at < 0 ? undefined : argv[at + 1];
  };
  const known: readonly Fault[] = [...FAULTS, ...LATER_FAULTS];
  const faults = (option: string): readonly Fault[] | undefined =>
    value(option)
      ?.split(',')
      .map((name) => {
        const fault = known.find((one) => one === name);
        if (fault === undefined) throw new Error(`--${option}: one of ${known.join(', ')} expected, got ${name}`);
        return fault;
      });
  const ablate = value('ablate');
  if (ablate !== undefined && ablate !== 'all' && !(ablate in ABLATIONS)) {
    throw new Error(`--ablate: all or one of ${Object.keys(ABLATIONS).join(', ')} expected, got ${ablate}`);
  }
  return {
    seeds: Number(value('seeds') ?? 200),
    seed: Number(value('seed') ?? 1),
    ablate,
    only: faults('only'),
    also: faults('also'),
    keepsTrace: argv.includes('--trace'),
  };
}

/** @returns seeds that failed. */
export function runSeeds(
  options: Omit<Options, 'ablate'> & { readonly ablation?: AblationName; readonly print: (line: string) => void },
): number[] {
  const { seeds, seed: first, only, also, keepsTrace, ablation, print } = options;
  const ablations: Ablations = ablation === undefined ? {} : { [ablation]: true };
  const failed: number[] = [];
  const totals = new Map<string, number>();
  for (let seed = first; seed < first + seeds; seed++) {
    const profile = ablation === undefined ? undefined : PROFILES[ablation];
    const result = runSeed(seed, {
      ablations,
      keepsTrace,
      ...profile,
      ...(only === undefined ? {} : { only }),
      ...(also === undefined ? {} : { also }),
    });
    for (const [what, count] of result.counts) totals.set(what, (totals.get(what) ?? 0) + count);
    for (const line of result.lines ?? []) print(line);
    if (result.failures.length > 0) {
      failed.push(seed);
      if (failed.length <= SHOWN_FAILURES) {
        print(`seed ${seed} failed: ${result.failures[0]}${result.failures.length > 1 ? ` (and ${result.failures.length - 1} more)` : ''}`);
        print(
          `  npm run sim -- --seeds 1 --seed ${seed}${ablation === undefined ? '' : ` --ablate ${ablation}`}${also === undefined ? '' : ` --also ${also.join(',')}`} --trace`,
        );
      }
    }
    const done = seed - first + 1;
    if (done % PROGRESS_SEEDS === 0 && done < seeds) print(`${done} of ${seeds} seeds, ${failed.length} failed`);
  }
  print(`${seeds} seeds, ${failed.length} failed${ablation === undefined ? '' : ` without ${ABLATIONS[ablation]} (${ablation})`}`);
  print(
    [...totals]
      .sort()
      .map(([what, count]) => `${count} ${what}`)
      .join(', '),
  );
  return failed;
}

export function main(argv: readonly string[], print: (line: string) => void): number {
  const { ablate, ...options } = parse(argv);
  if (ablate === undefined) return runSeeds({ ...options, print }).length === 0 ? 0 : 1;
  const names = ablate === 'all' ? (Object.keys(ABLATIONS) as AblationName[]) : [ablate as AblationName];
  let unnoticed = 0;
  for (const ablation of names) if (runSeeds({ ...options, ablation, print }).length === 0) unnoticed += 1;
  return unnoticed === 0 ? 0 : 1;
}
