export { ManualClock } from './testing/manual-clock.ts';
export { seededRng } from './testing/seeded-rng.ts';
