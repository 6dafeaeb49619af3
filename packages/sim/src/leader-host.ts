import type { Frame, Op } from '@terndb/core';
import { type LeaderEffect, type LeaderEvent, LeaderMachine, type LogEntryFrame, type SlotFolds } from '@terndb/sync';
import type { Cluster } from './cluster.ts';
import { ModelFold } from './model-fold.ts';
import { refusalOf } from './schemas.ts';
import type { World } from './world.ts';

/** Less per record than any client counts. */
const FRAME_BYTES = 3;
/** Time-out of an append, after which its outcome is unknown. */
const APPEND_TIMEOUT_MS = 300;

class Folds implements SlotFolds {
  readonly byChannel: Map<string, ModelFold> = new Map();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  get(channel: string): ModelFold {
    let fold = this.byChannel.get(channel);
    if (fold === undefined) {
      fold = new ModelFold(channel, this.#world.ablations);
      this.byChannel.set(channel, fold);
    }
    return fold;
  }

  apply(frame: Frame): void {
    this.get(frame.channel).apply(frame);
  }
}

type Answer = Extract<LeaderEffect, { type: 'written' | 'write-refused' | 'ticked' | 'unanswered' }>;

/** One process that leads a slot, or believes it does: the effects of a `LeaderMachine` against broker, clock and network. */
export class LeaderHost {
  readonly slot: number;
  readonly folds: Folds;
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #machine: LeaderMachine;
  readonly #universe: number;
  readonly #requests = new Map<number, (effect: Answer) => void>();
  #nextRequest = 0;
  #isDead = false;

  constructor(cluster: Cluster, slot: number, leaderEpoch: number) {
    this.#world = cluster.world;
    this.#cluster = cluster;
    this.#universe = cluster.universe;
    this.slot = slot;
    this.folds = new Folds(this.#world);
    const { ablations } = this.#world;
    const schemaVersionOf = (): number => cluster.schemaVersion;
    const { logEpoch } = cluster;
    const isGone = (channel: string): boolean => cluster.gone.has(channel);
    const validate = (_: string, op: Op): string | undefined => refusalOf(cluster.schema, op);
    const checks = this.#world.swarm.faults.has('schema-conflict') ? { validate } : {};
    this.#machine = new LeaderMachine({ logEpoch, leaderEpoch, folds: this.folds, schemaVersionOf, isGone, ablations, ...checks });
    for (const channel of cluster.channelsOf(slot)) this.#learnManifest(channel);
    this.#perform(this.#machine.start());
  }

  get isServing(): boolean {
    return this.#machine.isServing && !this.#isDead;
  }

  kill(): void {
    this.#isDead = true;
  }

  event(event: LeaderEvent): void {
    if (this.#isDead || this.#universe !== this.#cluster.universe) return;
    this.#perform(this.#machine.step(event, this.#cluster.serverWallMs()));
  }

  /** A request of the server itself; a leader that is killed never answers. */
  request(make: (request: number) => LeaderEvent, answer: (effect: Answer) => void): void {
    if (this.#isDead || this.#universe !== this.#cluster.universe) return;
    this.#nextRequest += 1;
    this.#requests.set(this.#nextRequest, answer);
    this.event(make(this.#nextRequest));
  }

  #after(delayMs: number, event: () => LeaderEvent | undefined): void {
    this.#world.queue.after(delayMs, () => {
      if (this.#isDead || this.#universe !== this.#cluster.universe) return;
      const next = event();
      if (next !== undefined) this.event(next);
    });
  }

  #perform(effects: readonly LeaderEffect[]): void {
    for (const effect of effects) this.#performOne(effect);
  }

  #performOne(effect: LeaderEffect): void {
    const { random } = this.#world;
    switch (effect.type) {
      case 'replay':
        this.#after(random.between(5, 60), () => this.#replay());
        return;
      case 'append':
        this.#append(effect.append, effect.expectedLast, effect.entries);
        return;
      case 'read-back': {
        const { append, sequence, entries } = effect;
        this.#after(random.between(2, 20), () => {
          const stored = this.#cluster.broker.slots[this.slot]!.entries;
          const isOurs = entries.every((entry, index) => stored[sequence - 1 + index] === entry);
          return { type: 'read-back', append, isOurs, lastSequence: stored.length };
        });
        return;
      }
      case 'reply':
        this.#cluster.reply(effect.session, effect.message);
        return;
      case 'read': {
        const { session, channel, subscription, from } = effect;
        this.#after(random.between(1, 10), () => {
          const frames = this.#cluster.broker.read(channel, from)?.filter((frame) => frame.base <= this.folds.get(channel).position);
          const sized = frames?.slice(0, 1 + random.int(6)).map((frame) => ({ frame, bytes: FRAME_BYTES * frame.records.length }));
          return { type: 'read', session, channel, subscription, frames: sized };
        });
        return;
      }
      case 'timer':
        this.#after(effect.delayMs, () => ({ type: 'timer', timer: effect.timer }));
        return;
      case 'written':
      case 'write-refused':
      case 'ticked':
      case 'unanswered': {
        const answer = this.#requests.get(effect.request);
        this.#requests.delete(effect.request);
        answer?.(effect);
        return;
      }
      case 'step-down':
        this.#isDead = true;
        this.#world.trace(`slot ${this.slot}: leader steps down`);
        this.#cluster.leaderGone(this);
    }
  }

  /** Newest manifests, then the tail. */
  #replay(): LeaderEvent {
    const { ablations } = this.#world;
    const log = this.#cluster.broker.slots[this.slot]!.entries;
    for (const channel of this.#cluster.channelsOf(this.slot)) {
      const manifest = this.#cluster.manifests.get(channel);
      const known = this.folds.byChannel.get(channel);
      if (manifest !== undefined && (known === undefined || known.position < manifest.fold.position)) {
        const fold = manifest.fold.clone();
        if (ablations['manifest-without-hlc']) fold.maxHlc = 0 as typeof fold.maxHlc;
        this.folds.byChannel.set(channel, fold);
      }
    }
    const lmids = new Map(this.#cluster.channelsOf(this.slot).map((channel) => [channel, new Map(this.folds.get(channel).lmids)]));
    if (!ablations['lead-before-fold']) for (const entry of log) if ('records' in entry) this.folds.apply(entry);
    if (ablations['lmid-apart']) for (const [channel, known] of lmids) this.folds.get(channel).lmids = known;
    const epochs = log.map((entry) => ('record' in entry && entry.record.type === 'lead' ? entry.leaderEpoch : 0));
    return { type: 'replayed', lastSequence: log.length, newestEpoch: Math.max(0, ...epochs) };
  }

  #append(append: number, expectedLast: number, entries: readonly LogEntryFrame[]): void {
    const { random } = this.#world;
    const isLost = this.#world.fault('append-unknown', 0.04);
    const isDeaf = this.#world.fault('append-unknown', 0.04);
    const expected = this.#world.ablations['no-append-fence'] ? -1 : expectedLast;
    // A message that sits in a buffer somewhere: it arrives when nobody expects it any more.
    const isLate = this.#world.fault('append-unknown', 0.04);
    const delay = isLate ? random.between(APPEND_TIMEOUT_MS, 4_000) : random.between(1, 30);
    const universe = this.#cluster.universe;
    let outcome: 'ok' | 'conflict' | 'unknown' = 'unknown';
    // What was sent arrives even when the sender dies meanwhile.
    this.#world.queue.after(delay, () => {
      if (!isLost && universe === this.#cluster.universe) outcome = this.#cluster.append(this.slot, expected, entries);
    });
    const isUnknown = isLost || isDeaf || isLate;
    this.#after(isUnknown ? APPEND_TIMEOUT_MS : delay + random.between(1, 10), () => {
      return { type: 'appended', append, outcome: isUnknown ? 'unknown' : outcome };
    });
  }

  #learnManifest(channel: string): void {
    const manifest = this.#cluster.manifests.get(channel);
    const firstPosition = this.#cluster.broker.firstPosition.get(channel) ?? 1;
    const offer = manifest === undefined ? undefined : { upTo: manifest.fold.position, reference: Uint8Array.of(manifest.version & 255) };
    this.event({ type: 'manifest', channel, offer, firstPosition });
  }

  manifestChanged(channel: string): void {
    this.#learnManifest(channel);
  }
}
