import { type Bus, DbError, type Locks } from '@terndb/core';
import type { Call, Service } from '../worker/protocol.ts';
import { type CommonMessage, commonTopic, type ToFollower, type ToLeader, tabLock, tabTopic } from './messages.ts';

/** Answers of writes kept per follower, so that one sent twice is done once; each may name a whole batch's keys. Reads may be done again. */
const REMEMBERED_WRITES = 64;

interface Follower {
  readonly answers: Map<number, Promise<unknown>>;
  readonly watches: Map<number, RemoteWatch>;
}
interface RemoteWatch {
  stop: () => void;
  taken: () => void;
}

export interface DeskOptions {
  readonly database: string;
  readonly tab: string;
  readonly term: number;
  readonly bus: Bus;
  readonly locks: Locks;
}

/** The leader's side of the bus: does what followers ask for and drops what a dead follower left. */
export class LeaderDesk {
  readonly #options: DeskOptions;
  readonly #service: Service;
  readonly #followers = new Map<string, Follower>();
  readonly #stops: (() => void)[] = [];
  readonly #abort = new AbortController();

  constructor(options: DeskOptions, service: Service) {
    this.#options = options;
    this.#service = service;
    const { bus, database, tab } = options;
    this.#stops.push(bus.subscribe(tabTopic(database, tab), (message) => this.#onMessage(message as ToLeader | ToFollower)));
    this.#stops.push(
      bus.subscribe(commonTopic(database), (message) => {
        if ((message as CommonMessage).type === 'who-leads') this.announce();
      }),
    );
  }

  announce(): void {
    const { bus, database, tab, term } = this.#options;
    bus.publish(commonTopic(database), { type: 'lead', leader: tab, term } satisfies CommonMessage);
  }

  /** Answers nobody from now on: what is under way is asked again of the next leader. */
  stop(): void {
    this.#abort.abort();
    for (const stop of this.#stops) stop();
    for (const tab of this.#followers.keys()) this.#drop(tab);
  }

  #onMessage(message: ToLeader | ToFollower): void {
    // An answer of an earlier leader, from when this tab followed.
    if (!('from' in message)) return;
    const follower = this.#follower(message.from);
    switch (message.type) {
      case 'call':
        this.#onCall(message.from, follower, message);
        return;
      case 'watch':
        this.#onWatch(message.from, follower, message);
        return;
      case 'unwatch':
        follower.watches.get(message.id)?.stop();
        follower.watches.delete(message.id);
        return;
      case 'taken':
        follower.watches.get(message.id)?.taken();
        return;
      default:
        // A message of a later version of this protocol cannot arrive here: its topic differs.
        return;
    }
  }

  #onCall(from: string, follower: Follower, { id, call }: { id: number; call: Call }): void {
    let answer = follower.answers.get(id);
    if (answer === undefined) {
      answer = this.#service.call(call);
      if (call.method === 'write') follower.answers.set(id, answer);
      if (follower.answers.size > REMEMBERED_WRITES) follower.answers.delete(follower.answers.keys().next().value!);
    }
    answer.then(
      (value) => this.#send(from, { type: 'answer', term: this.#options.term, id, value }),
      (thrown: unknown) => this.#send(from, { type: 'failure', term: this.#options.term, id, error: DbError.from(thrown).toJSON() }),
    );
  }

  #onWatch(from: string, follower: Follower, { id, watch }: Extract<ToLeader, { type: 'watch' }>): void {
    if (follower.watches.has(id)) return;
    const { term } = this.#options;
    const remote: RemoteWatch = { stop: () => {}, taken: () => {} };
    follower.watches.set(id, remote);
    remote.stop = this.#service.watch(watch, {
      onResult: (result) => {
        this.#send(from, { type: 'result', term, id, result });
        return new Promise((resolve) => {
          remote.taken = resolve;
        });
      },
      onError: (error) => this.#send(from, { type: 'watch-error', term, id, error: error.toJSON() }),
    });
  }

  #follower(tab: string): Follower {
    let follower = this.#followers.get(tab);
    if (follower === undefined) {
      follower = { answers: new Map(), watches: new Map() };
      this.#followers.set(tab, follower);
      const { locks, database } = this.#options;
      // Granted only when the follower's worker is gone; refused when this desk stops.
      locks.hold(tabLock(database, tab), { signal: this.#abort.signal }, async () => this.#drop(tab)).catch(() => {});
    }
    return follower;
  }

  #drop(tab: string): void {
    for (const watch of this.#followers.get(tab)?.watches.values() ?? []) watch.stop();
    this.#followers.delete(tab);
  }

  #send(tab: string, message: ToFollower): void {
    if (this.#abort.signal.aborted) return;
    this.#options.bus.publish(tabTopic(this.#options.database, tab), message);
  }
}
