import { TICKS_PER_MS, type Timestamp } from '@terndb/core';
import type { Ablations } from '@terndb/sync/testing';
import { EventQueue } from './event-queue.ts';
import { Ledger } from './ledger.ts';
import { Random } from './random.ts';
import { type Boost, drawSwarm, type Fault, type Swarm } from './swarm.ts';

/** November 2026. */
const START_MS = 1_795_000_000_000;

export interface WorldOptions {
  readonly ablations?: Ablations;
  readonly keepsTrace?: boolean;
  /** Only these faults, instead of those the seed draws. */
  readonly only?: readonly Fault[];
  /** These too, beside those. */
  readonly also?: readonly Fault[];
  readonly boost?: Boost;
}

/** What everything in a run shares: time, chance, faults, the ledger and the trace. */
export class World {
  readonly seed: number;
  readonly random: Random;
  readonly swarm: Swarm;
  readonly ablations: Ablations;
  readonly queue: EventQueue = new EventQueue();
  readonly ledger: Ledger = new Ledger();
  /** Set to false when the run heals. */
  hasFaults = true;
  /** The whole world slept this long: wall clocks moved, monotonic ones did not. */
  sleptMs = 0;
  /** How long rows live by the schema that everybody has; undefined: for ever. */
  ttlMs: number | undefined = undefined;
  /** Of the last write of any app. */
  uid = 0;
  /** Lines of the trace, when somebody wants to read it. */
  readonly lines: string[] | undefined;
  #traceA = 0x811c9dc5;
  #traceB = 0x9747b28c;

  constructor(seed: number, options: WorldOptions) {
    this.seed = seed;
    this.random = new Random(seed);
    const swarm = drawSwarm(this.random);
    const { only, also = [], boost = {} } = options;
    this.swarm = { ...swarm, faults: new Set([...(only ?? swarm.faults), ...also]), boost };
    this.ablations = options.ablations ?? {};
    this.lines = options.keepsTrace === true ? [] : undefined;
    this.ledger.wallMs = () => this.wallMs();
    this.ledger.onFailure = (text) => this.trace(text);
  }

  nextUid(): number {
    this.uid += 1;
    return this.uid;
  }

  wallMs(): number {
    return START_MS + this.queue.nowMs + this.sleptMs;
  }

  /** Rows put before it have expired by a wall clock; 0: none has. */
  expiryCutoff(wallMs: number): Timestamp {
    if (this.ttlMs === undefined) return 0 as Timestamp;
    return (Math.max(0, Math.floor(wallMs) - this.ttlMs + 1) * TICKS_PER_MS) as Timestamp;
  }

  monotonicMs(): number {
    return this.queue.nowMs;
  }

  /** Whether this fault happens now. */
  fault(fault: Fault, probability: number): boolean {
    return this.hasFaults && this.swarm.faults.has(fault) && this.random.chance(probability * (this.swarm.boost[fault] ?? 1));
  }

  trace(text: string): void {
    const line = `${this.queue.nowMs.toFixed(3)} ${text}`;
    for (let index = 0; index < line.length; index++) {
      const code = line.charCodeAt(index);
      this.#traceA = Math.imul(this.#traceA ^ code, 16777619);
      this.#traceB = (Math.imul(this.#traceB ^ code, 0x5bd1e995) + 1) | 0;
    }
    this.lines?.push(line);
  }

  /** More than the hash needs; only for a reader. */
  detail(text: () => string): void {
    this.lines?.push(`${this.queue.nowMs.toFixed(3)}   ${text()}`);
  }

  /** The same seed gives the same hash. */
  get traceHash(): string {
    return (this.#traceA >>> 0).toString(16).padStart(8, '0') + (this.#traceB >>> 0).toString(16).padStart(8, '0');
  }
}
