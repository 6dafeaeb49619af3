import { ABLATIONS, type AblationName } from '@terndb/sync/testing';
import { describe, expect, it } from 'vitest';
import { PROFILES, type Profile } from './profiles.ts';
import { runSeed } from './run-seed.ts';

/**
 * Not noticed in 6,000 seeds of its profile: since a leader answers a subscribe with an append after it, the `lead` record is no longer what keeps
 * an old leader from answering. `leader-machine.test.ts` in packages/sync shows the rule itself.
 */
const UNNOTICED: ReadonlySet<AblationName> = new Set(['no-lead-record']);

interface Seeds {
  readonly first: number;
  readonly count: number;
}
/** The checkers notice within this many seeds, from 1, of a rule's profile where it has one. */
const WITHIN_SEEDS = 100;
const ELSEWHERE: { readonly [A in AblationName]?: Seeds } = {
  // A resent push has to arrive between an expiry and the end of the subscription.
  'expire-keeps-subscription': { first: 1, count: 300 },
  // A bounce has to be overtaken by a download: one seed of 100,000 had it.
  'restamp-below-seen': { first: 78_916, count: 1 },
};

function firstFailure(ablation: AblationName, profile: Profile | undefined = PROFILES[ablation]): number | undefined {
  const { first, count } = ELSEWHERE[ablation] ?? { first: 1, count: WITHIN_SEEDS };
  for (let seed = first; seed < first + count; seed++) {
    if (runSeed(seed, { ...profile, ablations: { [ablation]: true } }).failures.length > 0) return seed;
  }
  return undefined;
}

describe(`without one of the rules the checkers notice within ${WITHIN_SEEDS} seeds, or as many as are stated`, () => {
  const names = (Object.keys(ABLATIONS) as AblationName[]).filter((name) => !UNNOTICED.has(name));
  it.each(names.map((name) => [ABLATIONS[name], name] as const))(
    '[%s] %s',
    (_, name) => {
      const seed = firstFailure(name);
      expect(seed).toBeDefined();
      expect(runSeed(seed!, PROFILES[name]).failures, `seed ${seed} with all rules`).toStrictEqual([]);
    },
    120_000,
  );

  it('[R11] no-term-fence, where tabs that follow forward their writes and the leader stands still', () => {
    expect(firstFailure('no-term-fence', { only: ['forwarded-writes', 'tab-freeze', 'tab-kill'] })).toBeDefined();
  }, 120_000);

  it('every rule of the log has one of them', () => {
    const rules = Array.from({ length: 18 }, (_, index) => `R${index + 1}`);
    expect(new Set(names.map((name) => ABLATIONS[name]))).toEqual(new Set([...rules, 'schema', 'yjs']));
  });
});
