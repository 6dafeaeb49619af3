import { newClientId, type SchemaDefinition } from '@terndb/core';
import { checkFlicker } from './checkers/shown.ts';
import type { Cluster } from './cluster.ts';
import { DeviceDb } from './device-db.ts';
import { TAB_HOP_MS } from './forwarding.ts';
import { FIRST_SCHEMA, FOREIGN_SCHEMA, WIDER_SCHEMA } from './schemas.ts';
import { Tab } from './tab.ts';
import type { World } from './world.ts';

const DAY_MS = 24 * 3600_000;
/** How long a lock waits before it is given to the next tab. */
const LOCK_MS = 50;

/** One browser: a database, a clock of its own, and tabs of which one leads. */
export class Device {
  readonly name: string;
  readonly world: World;
  readonly cluster: Cluster;
  readonly channels: readonly string[];
  readonly subject: string;
  db: DeviceDb;
  tabs: Tab[] = [];
  skewMs: number;
  /** The app may be newer than what the servers have heard of. */
  schemaVersion = 1;
  /** What the app means by a row; with `schema-conflict` the servers may not agree. */
  schema: SchemaDefinition = FIRST_SCHEMA;
  /** The servers' answer that the device has kept: what they had when they last took its schema. */
  answer: SchemaDefinition = FIRST_SCHEMA;
  /** No network at all. */
  isOffline = false;
  tokenFails = false;
  /** Who holds the lock; another tab may still believe that it does. */
  #holder: Tab | undefined;
  #generation = 1;
  #nextTab = 1;
  readonly #left = new Set<string>();

  constructor(world: World, cluster: Cluster, name: string, channels: readonly string[]) {
    this.world = world;
    this.cluster = cluster;
    this.name = name;
    this.subject = `user-${name}`;
    this.channels = channels;
    const { random, swarm } = world;
    const isWrong = swarm.faults.has('clock-skew') && random.chance(0.4);
    this.skewMs = isWrong ? random.between(-DAY_MS, DAY_MS) : random.between(-1_000, 1_000);
    this.db = new DeviceDb(world, name, this.#generation, channels, newClientId(random.rng));
  }

  wallMs(): number {
    return Math.floor(this.world.wallMs() + this.skewMs);
  }

  get leader(): Tab | undefined {
    return this.#holder?.isLeading ? this.#holder : undefined;
  }

  openTab(): void {
    const tab = new Tab(this, `${this.name}.${this.#nextTab++}`);
    this.tabs.push(tab);
    for (const channel of this.#left) tab.event({ type: 'leave', channel });
    if (this.#holder === undefined) {
      this.#elect(tab);
    } else {
      tab.event({ type: 'demoted' });
      this.#introduce(this.#holder, [tab]);
    }
  }

  /** The lock goes to a tab; its term is stored before anything else is read. */
  #elect(tab: Tab): void {
    this.#holder = tab;
    this.db.term += 1;
    tab.lead(this.db.term, this.db);
    this.#introduce(tab, this.tabs);
  }

  /** Tells tabs who leads, so that they forward their pages' writes. */
  #introduce(leader: Tab, tabs: readonly Tab[]): void {
    if (!this.world.swarm.faults.has('forwarded-writes')) return;
    const { term } = this.db;
    this.world.queue.after(TAB_HOP_MS, () => {
      for (const tab of tabs) tab.followLeader(leader, term);
    });
  }

  closeTab(tab: Tab): void {
    tab.kill();
    this.tabs = this.tabs.filter((other) => other !== tab);
    this.world.trace(`${tab.name} killed`);
    if (this.#holder !== tab) return;
    this.#holder = undefined;
    this.#passLock();
  }

  #passLock(): void {
    this.world.queue.after(LOCK_MS, () => {
      const next = this.tabs.find((tab) => !tab.isFrozen) ?? this.tabs[0];
      if (next !== undefined && this.#holder === undefined) this.#elect(next);
    });
  }

  /** The leader stands still; another tab steals the lock, and the first wakes up later, believing that it still leads. */
  freezeLeader(forMs: number): void {
    const frozen = this.leader;
    if (frozen === undefined) return;
    frozen.isFrozen = true;
    this.world.trace(`${frozen.name} frozen`);
    this.world.queue.after(forMs, () => frozen.thaw());
    const next = this.tabs.find((tab) => !tab.isFrozen);
    if (next !== undefined) {
      this.world.queue.after(this.world.random.between(0, forMs), () => {
        if (this.tabs.includes(next) && !next.isFrozen && this.#holder === frozen) this.#elect(next);
      });
    }
  }

  /** The machine gave up: its database is read again. */
  reopen(tab: Tab): void {
    this.world.queue.after(LOCK_MS, () => {
      if (this.tabs.includes(tab) && this.#holder === tab) this.#elect(tab);
    });
  }

  /** The browser dropped the database, with everything in it. */
  loseDatabase(): void {
    this.world.ledger.count('lost databases');
    this.world.trace(`${this.name}: database lost`);
    this.#killTabs();
    this.#generation += 1;
    const clientId = this.world.ablations['same-id-after-loss'] ? this.db.device.clientId : newClientId(this.world.random.rng);
    this.db = new DeviceDb(this.world, this.name, this.#generation, this.channels, clientId);
    this.openTab();
  }

  /** A bit of the stored replica turns over, and nothing notices by itself. */
  flipMemory(channel: string): void {
    const { fold } = this.db.channels.get(channel)!;
    const [pk] = fold.docs.keys();
    if (pk === undefined) return;
    fold.corrupt(pk);
    this.world.ledger.count('flipped replicas');
  }

  /** Every tab is closed, and one opened: rows are gone from the cache, or the app is started anew. */
  reload(): void {
    this.#killTabs();
    this.openTab();
  }

  /** Another version of the app. What was stored with a field goes on having it. */
  rollOut(schema: SchemaDefinition): void {
    const isStored = this.hasMoreFields && schema === FOREIGN_SCHEMA;
    if (!isStored) this.schema = schema;
    this.world.trace(`${this.name}: another app`);
    this.reload();
  }

  get hasMoreFields(): boolean {
    return this.schema === WIDER_SCHEMA;
  }

  #killTabs(): void {
    for (const tab of this.tabs) tab.kill();
    this.tabs = [];
    this.#holder = undefined;
  }

  /** The app closes and opens a partition, in every tab. */
  leave(channel: string): void {
    if (this.#left.has(channel)) return;
    this.#left.add(channel);
    for (const tab of this.tabs) tab.event({ type: 'leave', channel });
    this.world.ledger.count('left channels');
  }

  follow(channel: string): void {
    this.#left.delete(channel);
    for (const tab of this.tabs) tab.event({ type: 'follow', channel });
  }

  isFollowed(channel: string): boolean {
    return !this.#left.has(channel);
  }

  checkShown(channels: Iterable<string>): void {
    for (const channel of channels) checkFlicker(this.world.ledger, this.db.shown(channel));
  }
}
