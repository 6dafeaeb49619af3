/**
 * Property tests use one seed, so that `npm test` says the same of the same commit; `FC_SEED=$RANDOM npm test -- unit` looks elsewhere. A failing
 * property prints its seed; the counterexample then becomes a named test.
 */
import fc from 'fast-check';

const DEFAULT_SEED = 20261121;
const seed = Number(process.env.FC_SEED ?? DEFAULT_SEED);
if (!Number.isSafeInteger(seed)) throw new Error(`FC_SEED: an integer expected, got ${process.env.FC_SEED}`);
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
