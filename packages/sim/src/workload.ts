import { type Op, type Origin, originOf, type SingleOp } from '@terndb/core';
import type { Cluster } from './cluster.ts';
import type { Device } from './device.ts';
import { updateOf } from './forwarding.ts';
import { newWrite } from './ledger.ts';
import { singlesOf } from './model-fold.ts';
import { FOREIGN_SCHEMA, WIDER_SCHEMA } from './schemas.ts';
import { ServerWork } from './server-work.ts';
import type { World } from './world.ts';

const FIELDS = ['a', 'b', 'c'];
const DAY_MS = 24 * 3600_000;

interface ShownKeys {
  readonly isLive: (pk: string) => boolean;
  readonly baseOf: (pk: string) => Origin | undefined;
  /** Fields that only this app has. */
  readonly more: readonly string[];
}

/** The put that began what the device shows: of its newest unconfirmed one, else of its replica. */
function baseOf(device: Device, channel: string, pk: string): Origin | undefined {
  const { fold, outbox } = device.db.channels.get(channel)!;
  let base = fold.entity(pk)?.base;
  for (const entry of outbox.values()) if (singlesOf(entry.op).some((op) => op.type === 'put' && op.pk === pk)) base = originOf(entry);
  return base;
}

/** What users and fate do: one action at a time, drawn by weight. */
export class Workload {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #devices: readonly Device[];
  readonly #server: ServerWork;

  constructor(world: World, cluster: Cluster, devices: readonly Device[]) {
    this.#world = world;
    this.#cluster = cluster;
    this.#devices = devices;
    this.#server = new ServerWork(world, cluster);
  }

  /** Actions until `endMs` of virtual time. */
  run(endMs: number): void {
    const { queue, random, swarm } = this.#world;
    const next = (): void => {
      if (queue.nowMs >= endMs) return;
      this.#act();
      queue.after(random.between(0, 2 * swarm.paceMs), next);
    };
    queue.after(0, next);
  }

  #act(): void {
    const { random } = this.#world;
    const device = random.pick(this.#devices);
    const draw = random.next();
    if (draw < 0.62) {
      for (let count = 1 + random.int(3); count > 0; count--) this.#write(device);
      return;
    }
    this.#fault(device, random.pick(this.#cluster.channels));
  }

  #write(device: Device): void {
    const { random, ledger, swarm } = this.#world;
    const tab = this.#tabThatWrites(device);
    if (tab === undefined || tab.isFrozen) return;
    const channel = random.pick(device.channels);
    if (!device.isFollowed(channel)) return;
    const stored = device.db.channels.get(channel)!;
    const op = this.#op(`p${random.int(swarm.keys)}`, {
      isLive: (pk) => this.#isLive(device, channel, pk),
      baseOf: (pk) => baseOf(device, channel, pk),
      more: device.hasMoreFields ? ['d'] : [],
    });
    const seen = { sawPosition: stored.fold.position, sawEpoch: stored.universe };
    if (tab !== device.leader) {
      tab.forwarder.call({ channel, op, ...seen });
      return;
    }
    const uid = this.#world.nextUid();
    const { name, subject, db } = device;
    const info = newWrite({ uid, device: name, database: db.generation, channel, op, subject, ...seen });
    ledger.addWrite(info);
    tab.write(op, channel, info);
  }

  /** Any of a device's tabs, where pages write in those that follow too. */
  #tabThatWrites(device: Device): Device['leader'] {
    const { random, swarm } = this.#world;
    if (!swarm.faults.has('forwarded-writes') || device.tabs.length === 0) return device.leader;
    return random.pick(device.tabs);
  }

  #isLive(device: Device, channel: string, pk: string): boolean {
    const { fold, outbox } = device.db.channels.get(channel)!;
    let isLive = fold.isLive(pk);
    for (const { op } of outbox.values()) if ('pk' in op && op.pk === pk && op.type !== 'patch') isLive = op.type === 'put';
    return isLive;
  }

  #op(pk: string, shown: ShownKeys): Op {
    const { random, swarm } = this.#world;
    if (random.chance(0.1)) {
      const other = `p${random.int(swarm.keys)}`;
      const ops = [this.#single(pk, shown)];
      if (other !== pk) ops.push(this.#single(other, shown));
      return { type: 'batch', ops };
    }
    return this.#single(pk, shown);
  }

  #single(pk: string, { isLive, baseOf: base, more }: ShownKeys): SingleOp {
    const { random, swarm, uid: value } = this.#world;
    const draw = random.next();
    const fields = (names: readonly string[]): { [name: string]: number } =>
      Object.fromEntries([...names, ...more].map((name) => [name, value]));
    const begun = swarm.faults.has('collab') && draw > 0.8 && isLive(pk) ? base(pk) : undefined;
    if (begun !== undefined) return { type: 'yjs', pk, field: 'y', base: begun, update: updateOf(value) };
    if (draw < 0.25) return { type: 'delete', pk };
    if (draw < 0.65 || !isLive(pk)) return { type: 'put', pk, fields: fields(FIELDS), create: !isLive(pk) };
    if (draw < 0.95) return { type: 'patch', pk, fields: fields([random.pick(FIELDS)]) };
    return { type: 'vector', pk, field: 'v', model: 'm', sourceHash: new Uint8Array(16), vector: Float32Array.of(value) };
  }

  /** The app of a device is newer; the servers hear of it later. */
  #upgrade(device: Device): void {
    device.schemaVersion = 2;
    this.#world.ledger.count('newer schemas');
    this.#world.queue.after(this.#world.random.between(0, 6_000), () => {
      this.#cluster.schemaVersion = 2;
    });
  }

  /** Its app is replaced by one that the servers do not take, or not yet; some time later they do, or it is replaced again. */
  #rollOut(device: Device): void {
    const { random, queue } = this.#world;
    const isForeign = random.chance(0.4);
    device.rollOut(isForeign ? FOREIGN_SCHEMA : WIDER_SCHEMA);
    queue.after(random.between(0, 15_000), () => {
      if (isForeign) device.rollOut(WIDER_SCHEMA);
      if (random.chance(0.5)) this.#cluster.grantsSchema = true;
      device.reload();
    });
  }

  #leave(device: Device, channel: string): void {
    device.leave(channel);
    this.#world.queue.after(this.#world.random.between(0, 5_000), () => device.follow(channel));
  }

  #fault(device: Device, channel: string): void {
    const { random, swarm } = this.#world;
    const cluster = this.#cluster;
    const actions: (readonly [weight: number, act: () => void])[] = [];
    const add = (fault: Parameters<World['fault']>[0], weight: number, act: () => void): void => {
      if (swarm.faults.has(fault)) actions.push([weight * (swarm.boost[fault] ?? 1), act]);
    };
    actions.push([4, () => cluster.maintain(channel)]);
    actions.push([2, () => this.#leaderOf(device)?.breakSocket()]);
    add('socket-drop', 6, () => this.#leaderOf(device)?.breakSocket());
    add('half-open', 1, () => this.#leaderOf(device)?.halfOpenSocket());
    add('partition', 2, () => this.#partition(device));
    add('clock-jump', 2, () => this.#jump(device));
    add('long-sleep', 2, () => this.#sleep());
    add('tab-kill', 3, () => this.#killTab(device));
    add('tab-freeze', 2, () => device.freezeLeader(random.between(500, 12_000)));
    add('storage-loss', 0.6, () => device.loseDatabase());
    add('cache-eviction', 2, () => device.reload());
    add('memory-flip', 0.5, () => device.flipMemory(random.pick(device.channels)));
    add('server-crash', 1.5, () => cluster.crash());
    add('fail-over', 4, () => cluster.failOver(random.int(swarm.slots)));
    add('seal', 5, () => cluster.seal(channel));
    add('restore', 1.2, () => (random.chance(0.6) ? cluster.backUp() : cluster.restore()));
    add('lost-tail', 1.2, () => cluster.loseTail(random.int(swarm.slots)));
    add('dropped-channel', 0.3, () => cluster.dropChannel(channel));
    add('grant-revoked', 1, () => this.#revoke(device, random.pick(device.channels)));
    add('server-crash', 0.7, () => cluster.drain());
    add('server-writes', 8, () => this.#server.write(channel));
    add('server-writes', 2, () => this.#server.deleteByFilter(channel));
    add('strong-reads', 4, () => this.#server.strongRead(channel));
    add('newer-schema', 1, () => this.#upgrade(device));
    add('adoption', 3, () => device.leader?.event({ type: 'adopt', channel: random.pick(device.channels), above: 0 }));
    add('schema-conflict', 2, () => this.#rollOut(device));
    add('expiry', 3, () => cluster.alterTimeToLive());
    add('leave-and-follow', 2, () => this.#leave(device, random.pick(device.channels)));
    let draw = random.next() * actions.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, act] of actions) {
      draw -= weight;
      if (draw > 0) continue;
      act();
      return;
    }
  }

  #leaderOf(device: Device): Device['leader'] {
    return device.leader;
  }

  #partition(device: Device): void {
    device.isOffline = true;
    device.leader?.breakSocket();
    this.#world.queue.after(this.#world.random.between(1_000, 20_000), () => {
      device.isOffline = false;
    });
  }

  #jump(device: Device): void {
    device.skewMs += this.#world.random.between(-DAY_MS, DAY_MS);
    device.skewMs = Math.max(-DAY_MS, Math.min(DAY_MS, device.skewMs));
  }

  /** Everybody's lid is closed; some connections do not survive it. */
  #sleep(): void {
    const { random } = this.#world;
    this.#world.sleptMs += random.chance(0.4) ? random.between(0, 40 * DAY_MS) : random.between(0, 3 * DAY_MS);
    this.#world.ledger.count('long sleeps');
    this.#world.trace('sleep');
    const usual = 1 / (this.#world.swarm.boost['long-sleep'] ?? 1);
    for (const device of this.#devices) if (random.chance(0.8 * usual)) device.leader?.breakSocket();
    for (const device of this.#devices) if (random.chance(0.3 * usual)) this.#partition(device);
  }

  #killTab(device: Device): void {
    const { random } = this.#world;
    const tab = random.pick(device.tabs);
    if (tab === undefined) return;
    if (device.tabs.length < this.#world.swarm.maxTabs || device.tabs.length === 1) device.openTab();
    device.closeTab(tab);
  }

  #revoke(device: Device, channel: string): void {
    const grant = `${device.subject} ${channel}`;
    this.#cluster.revoked.add(grant);
    this.#world.queue.after(this.#world.random.between(1_000, 10_000), () => {
      this.#cluster.revoked.delete(grant);
      device.leader?.event({ type: 'retry-denied', channel });
    });
  }
}
