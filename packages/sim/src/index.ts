export { type RunResult, runSeed } from './run-seed.ts';
export { FAULTS, type Fault } from './swarm.ts';
