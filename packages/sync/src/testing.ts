export { ABLATIONS, type AblationName, type Ablations } from './ablations.ts';
export { LOST_TAIL } from './client/subscription.ts';
