import type { AblationName } from '@terndb/sync/testing';
import type { Boost, Fault } from './swarm.ts';

/** Where a rule matters: these faults and no others, some of them more often. What is rare in the swarm of all faults is not rare there. */
export interface Profile {
  readonly only: readonly Fault[];
  readonly boost?: Boost;
}

export const PROFILES: { readonly [A in AblationName]?: Profile } = {
  'requeue-keeps-create': {
    only: ['hop-loss', 'socket-drop', 'long-sleep', 'expire', 'gc', 'restore'],
    boost: { 'long-sleep': 2, restore: 2 },
  },
  'expired-rows-kept': { only: ['long-sleep', 'expiry'] },
  'expired-by-own-clock': { only: ['long-sleep', 'expiry'] },
  'no-floor': { only: ['long-sleep', 'gc'] },
  'no-hash-check': { only: ['memory-flip', 'socket-drop', 'seal'], boost: { 'memory-flip': 20 } },
  'epoch-swap-early': { only: ['restore', 'seal', 'hop-delay', 'socket-drop'], boost: { restore: 4, seal: 2 } },
  'connect-unresolved': { only: ['schema-conflict'] },
  'newer-schema-refused': { only: ['newer-schema'] },
  'expire-keeps-subscription': {
    only: ['long-sleep', 'expire', 'hop-doubling', 'hop-delay', 'hop-loss'],
    boost: { 'long-sleep': 8, 'hop-doubling': 10, 'hop-delay': 5 },
  },
  'no-lead-record': { only: ['fail-over', 'append-unknown', 'hop-delay', 'seal'], boost: { 'fail-over': 3, 'append-unknown': 4 } },
  'unconfirmed-subscribe': { only: ['fail-over', 'socket-drop', 'tab-kill', 'hop-loss'], boost: { 'fail-over': 2, 'tab-kill': 3 } },
  'no-subscription-fence': {
    only: ['hop-delay', 'hop-doubling', 'hop-loss', 'socket-drop', 'clock-skew', 'clock-jump', 'fail-over', 'half-open'],
    boost: { 'hop-delay': 4, 'hop-doubling': 4, 'clock-jump': 3 },
  },
};
