export { ABLATIONS, type AblationName, type Ablations } from './ablations.ts';
