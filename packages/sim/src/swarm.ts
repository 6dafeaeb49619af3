import type { Random } from './random.ts';

/** The faults that a run may have; each is on in some seeds and off in others, so that none hides behind another. */
export const FAULTS = [
  'hop-loss',
  'hop-doubling',
  'hop-delay',
  'socket-drop',
  'half-open',
  'partition',
  'clock-skew',
  'clock-jump',
  'long-sleep',
  'tab-kill',
  'tab-freeze',
  'storage-abort',
  'storage-quota',
  'storage-loss',
  'cache-eviction',
  'memory-flip',
  'server-crash',
  'fail-over',
  'append-unknown',
  'seal',
  'gc',
  'expire',
  'restore',
  'object-error',
  'object-flip',
  'token-expiry',
  'wrong-subject',
  'grant-revoked',
  'newer-server',
  'server-writes',
  'strong-reads',
  'collab',
  'newer-schema',
  'adoption',
  'leave-and-follow',
] as const;
/** Faults that no seed draws, so that seeds stay what they were: a run has them when it is asked for them. */
export const LATER_FAULTS = ['lost-tail', 'dropped-channel', 'forwarded-writes', 'schema-conflict', 'expiry'] as const;
export type Fault = (typeof FAULTS)[number] | (typeof LATER_FAULTS)[number];

export type Boost = { readonly [F in Fault]?: number };

export interface Swarm {
  readonly devices: number;
  readonly maxTabs: number;
  readonly channels: number;
  readonly slots: number;
  readonly keys: number;
  readonly faults: ReadonlySet<Fault>;
  /** How many times more often than usual. */
  readonly boost: Boost;
  /** Messages go through the codec and are compared. */
  readonly encodes: boolean;
  /** Mean time between two actions of the workload. */
  readonly paceMs: number;
  /** Small: it runs out all the time. Undefined: as in production. */
  readonly creditBytes: number | undefined;
}

const ON = 0.55;

export function drawSwarm(random: Random): Swarm {
  const faults = new Set<Fault>();
  const isCalm = random.chance(0.05);
  for (const fault of FAULTS) if (random.chance(isCalm ? 0 : ON)) faults.add(fault);
  return {
    devices: 2 + random.int(3),
    maxTabs: 1 + random.int(2),
    channels: 1 + random.int(3),
    slots: 1 + random.int(2),
    keys: 2 + random.int(4),
    faults,
    boost: {},
    encodes: random.chance(0.1),
    paceMs: random.pick([60, 120, 250]),
    creditBytes: random.chance(0.3) ? random.pick([1, 20, 100]) : undefined,
  };
}
