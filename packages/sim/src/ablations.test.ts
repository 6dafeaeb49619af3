import { ABLATIONS, type AblationName } from '@terndb/sync/testing';
import { describe, expect, it } from 'vitest';
import { PROFILES, type Profile } from './profiles.ts';
import { runSeed } from './run-seed.ts';

/**
 * Needs a coincidence that even its profile makes in fewer than one seed of a hundred: `npm run sim -- --ablate NAME` looks for it, SPEC.md lists it
 * as open, and leader-machine.test.ts or client-machine.test.ts in packages/sync shows the rule itself.
 */
const RARE: ReadonlySet<AblationName> = new Set([
  'expire-keeps-subscription',
  'no-lead-record',
  'restamp-below-seen',
  'unconfirmed-subscribe',
]);
/** The checkers notice each of the others within this many seeds, from 1, of its profile where it has one. */
const WITHIN_SEEDS = 100;

function firstFailure(ablation: AblationName, profile: Profile | undefined = PROFILES[ablation]): number | undefined {
  for (let seed = 1; seed <= WITHIN_SEEDS; seed++) {
    if (runSeed(seed, { ...profile, ablations: { [ablation]: true } }).failures.length > 0) return seed;
  }
  return undefined;
}

describe(`without one of the rules the checkers notice within ${WITHIN_SEEDS} seeds`, () => {
  const names = (Object.keys(ABLATIONS) as AblationName[]).filter((name) => !RARE.has(name));
  it.each(names.map((name) => [ABLATIONS[name], name] as const))(
    '[%s] %s',
    (_, name) => {
      expect(firstFailure(name)).toBeDefined();
    },
    120_000,
  );

  it('[R11] no-term-fence, where tabs that follow forward their writes and the leader stands still', () => {
    expect(firstFailure('no-term-fence', { only: ['forwarded-writes', 'tab-freeze', 'tab-kill'] })).toBeDefined();
  }, 120_000);
});
