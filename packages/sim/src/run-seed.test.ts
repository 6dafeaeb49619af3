import { describe, expect, it } from 'vitest';
import { runSeed } from './run-seed.ts';
import { FAULTS } from './swarm.ts';

/** SIM_SEEDS and SIM_SEED make a longer run, elsewhere in the space; `npm run sim` runs many. */
const env = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env ?? {};
const SEEDS = Number(env['SIM_SEEDS'] ?? 200);
const FIRST = Number(env['SIM_SEED'] ?? 1);

describe('simulation', () => {
  it(`holds every check under faults, and converges after them, in ${SEEDS} seeds`, () => {
    const totals = new Map<string, number>();
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const { failures, counts } = runSeed(seed);
      expect(failures, `npm run sim -- --seeds 1 --seed ${seed} --trace`).toStrictEqual([]);
      for (const [what, count] of counts) totals.set(what, (totals.get(what) ?? 0) + count);
    }
    // A run without work proves nothing: each of these must have happened.
    const seen = [
      'acks',
      'append conflicts',
      'bootstraps',
      'collab updates in the log',
      'divergences seen',
      'expired ids',
      'fail-overs',
      'fenced batches',
      'fresh reads',
      'harmless repetitions',
      'left channels',
      'lost databases',
      'manifests',
      'newer schemas',
      'refused batches',
      'rejected writes',
      'restamped writes',
      'restores',
      'server crashes',
      "server's own writes: unanswered",
      "server's own writes: write-refused",
      "server's own writes: written",
      'strong reads',
      'tombstone collections',
    ];
    for (const what of seen) expect(totals.get(what) ?? 0, what).toBeGreaterThan(0);
  }, 120_000);

  it('gives the same trace for the same seed, and another one for another', () => {
    const first = runSeed(4711);
    expect(runSeed(4711).traceHash).toBe(first.traceHash);
    expect(runSeed(4712).traceHash).not.toBe(first.traceHash);
    expect(first.events).toBeGreaterThan(1000);
  });

  it('converges without any fault, with every write acknowledged', () => {
    const { failures, counts } = runSeed(1, { only: [] });
    expect(failures).toStrictEqual([]);
    expect(counts.get('local writes')).toBeGreaterThan(10);
    expect(counts.get('acks')).toBeGreaterThan(10);
  });

  it.each(FAULTS)('converges with %s as the only fault', (fault) => {
    for (let seed = 1; seed <= 3; seed++) expect(runSeed(seed, { only: [fault] }).failures, `seed ${seed}`).toStrictEqual([]);
  });
});

describe('faults that no seed draws by itself', () => {
  it.each([
    ['dropped-channel', 'dropped channels'],
    ['lost-tail', 'lost tails'],
    ['forwarded-writes', 'forwarded writes made twice'],
    ['schema-conflict', 'schemas that do not fit'],
    ['expiry', 'expired rows'],
  ] as const)('%s: every check holds beside those that seeds draw', (fault, what) => {
    let happened = 0;
    for (let seed = FIRST; seed < FIRST + SEEDS / 5; seed++) {
      const { failures, counts } = runSeed(seed, { also: [fault] });
      expect(failures, `npm run sim -- --seeds 1 --seed ${seed} --also ${fault} --trace`).toStrictEqual([]);
      happened += counts.get(what) ?? 0;
    }
    expect(happened).toBeGreaterThan(0);
  });

  it.each([
    [13, 'a channel whose id is new already does not look whether its log lost its end'],
    [55, 'a log loses its end twice, and a client asks for ever'],
    [174, 'entries that were acknowledged and are not shown yet stay when their log loses them'],
  ])('seed %i with lost-tail: %s', (seed) => {
    expect(runSeed(seed, { also: ['lost-tail'] }).failures).toStrictEqual([]);
  });

  it('seed 5257 with both: a frame that begins before what is shown ends is applied from its middle, and nothing is compared', () => {
    expect(runSeed(5257, { also: ['lost-tail', 'dropped-channel'] }).failures).toStrictEqual([]);
  });

  it('seed 2641 with both: a backup refuses what the log, after it had lost its end, accepted', () => {
    expect(runSeed(2641, { also: ['lost-tail', 'dropped-channel'] }).failures).toStrictEqual([]);
  });
});

describe('seeds that found bugs', () => {
  // What each of them showed is in packages/sync/SPEC.md, "What the simulation found".
  it.each([
    [2, 'a tab that restarts stamps below what its replica shows'],
    [12, 'frames of the epoch before a restore are dropped as foreign'],
    [19, 'an entry kept before a long sleep is pruned after it'],
    [33, 'a subscribe that arrives late ends the newer subscription without a word'],
    [46, 'an ack of the new universe removes an entry while the old one is still shown'],
    [69, 'a client whose first op is refused is taken for somebody else'],
    [78, 'a tab that stepped down in needs-auth never connects again'],
    [1087, 'a restamp on one channel puts the clock below what another has shown'],
    [4141, 'a candidate leads after a newer leader'],
    [190, 'a tab that is elected again keeps what it knew of its earlier term'],
    [564, 'a deposed leader answers a subscribe with what it had'],
    [1440, 'a batch of an earlier term deposes the tab that leads'],
    [1556, 'a lost ack hides a refusal from the next one'],
    [1934, 'a download of an earlier term is taken for a new one'],
    [3657, 'a deposed tab moves the day that an op was kept'],
    [13083, 'entries under an expired former id are stuck after a restart'],
    [14946, 'the same, with a bootstrap between'],
    [7941, 'a refused batch of an earlier term takes one of the present term with it'],
    [13606, 'the token of an earlier term pushes under the name of somebody else'],
    [13649, 'of a write of two entities that died, the later death hides the earlier one'],
    [14678, 'the same, of collab updates'],
    [70797, 'what died before its log was taken for one that lost its end is called a flicker'],
    [78916, 'a late bounce stamps a write below what a download has shown meanwhile'],
  ])('seed %i: %s', (seed) => {
    expect(runSeed(seed).failures).toStrictEqual([]);
  });
});
