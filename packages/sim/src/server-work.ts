import type { SingleOp, Timestamp } from '@terndb/core';
import { checkStrong } from './checkers/reads.ts';
import type { Cluster } from './cluster.ts';
import { newWrite, type WriteInfo } from './ledger.ts';
import type { ModelFold } from './model-fold.ts';
import type { World } from './world.ts';

/** What reaches the servers not by a device: writes and strong reads over REST. */
export class ServerWork {
  readonly #world: World;
  readonly #cluster: Cluster;

  constructor(world: World, cluster: Cluster) {
    this.#world = world;
    this.#cluster = cluster;
  }

  write(channel: string): void {
    const { random, swarm } = this.#world;
    const leader = this.#cluster.leaderFor(channel);
    if (leader === undefined) return;
    const fold = leader.folds.get(channel);
    const value = this.#world.nextUid();
    const ops = Array.from({ length: random.chance(0.2) ? 2 : 1 }, (): SingleOp => {
      const pk = `p${random.int(swarm.keys)}`;
      const draw = random.next();
      if (draw < 0.2) return { type: 'delete', pk };
      if (draw < 0.6) return { type: 'put', pk, fields: { a: value, b: value, c: value }, create: false };
      return { type: 'patch', pk, fields: { b: value } };
    });
    this.#send(channel, { uid: value, ops, fold });
  }

  /** Resolved in a view, appended some time later: what was written meanwhile survives. */
  deleteByFilter(channel: string): void {
    const { random, queue } = this.#world;
    const view = this.#cluster.leaderFor(channel)?.folds.get(channel).clone();
    if (view === undefined) return;
    const live = [...view.docs.keys()].filter((pk) => view.isLive(pk));
    if (live.length === 0) return;
    const ops = live.map((pk): SingleOp => ({ type: 'delete', pk }));
    const { universe } = this.#cluster;
    queue.after(random.between(0, 600), () => {
      if (universe === this.#cluster.universe) this.#send(channel, { uid: this.#world.nextUid(), ops, fold: view, hlc: view.maxHlc });
    });
  }

  #send(channel: string, what: { uid: number; ops: readonly SingleOp[]; fold: ModelFold; hlc?: Timestamp }): void {
    const { ledger } = this.#world;
    const { uid, ops, fold, hlc } = what;
    const op = ops.length === 1 ? ops[0]! : { type: 'batch' as const, ops };
    const subject = 'rest';
    // Each is a device of its own: nothing orders two requests.
    const info = newWrite({
      uid,
      device: `rest-${uid}`,
      database: 0,
      channel,
      op,
      subject,
      sawPosition: fold.position,
      sawEpoch: ledger.universe,
    });
    ledger.addWrite(info);
    const stamp = hlc === undefined ? {} : { hlc };
    this.#cluster.leaderFor(channel)?.request(
      (request) => ({ type: 'write', request, channel, ops, author: subject, schemaVersion: 1, ...stamp }),
      (answer) => {
        if (answer.type === 'written') this.#written(info, op);
        else if (answer.type === 'write-refused') info.rejected = answer.code;
        else if (answer.type === 'unanswered' && !answer.mayBeInLog) info.rejected = 'unanswered';
        ledger.count(`server's own writes: ${answer.type}`);
      },
    );
  }

  #written(info: WriteInfo, op: WriteInfo['op']): void {
    const { ledger } = this.#world;
    info.isLocal = true;
    info.isAcked = true;
    if (ledger.infoOf(op) === undefined || !ledger.channel(info.channel).accepted.has(info)) {
      ledger.fail('written-not-in-log', `write ${info.uid}`);
    }
  }

  strongRead(channel: string): void {
    const { ledger } = this.#world;
    const leader = this.#cluster.leaderFor(channel);
    const asked = ledger.channel(channel).truth.position;
    leader?.request(
      (request) => ({ type: 'tick-now', request }),
      (answer) => {
        if (answer.type === 'ticked') checkStrong(ledger, channel, asked, leader.folds.get(channel).position);
      },
    );
  }
}
