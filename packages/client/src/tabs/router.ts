import { type Bus, type Clock, DbError, type SchemaDefinition } from '@terndb/core';
import type { Call, Service, WatchRequest, WatchSink } from '../worker/protocol.ts';
import { type CommonMessage, commonTopic, type ToFollower, type ToLeader, tabTopic } from './messages.ts';

/** A call that no leader answered for this long fails: longer than a browser takes to start the next leader on a slow device. */
const CALL_DEADLINE_MS = 30_000;
/** While something waits and nobody leads, ask again: an announcement may have been made before this tab listened. */
const ASK_EVERY_MS = 1000;

interface PendingCall {
  readonly call: Call;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: DbError) => void;
  readonly cancelDeadline: () => void;
}
interface RoutedWatch {
  readonly watch: WatchRequest;
  readonly sink: WatchSink;
  stop: () => void;
}
type Target =
  | { readonly type: 'none' }
  | { readonly type: 'engine'; readonly service: Service }
  | { readonly type: 'leader'; readonly leader: string; readonly term: number };

export interface RouterOptions {
  readonly database: string;
  readonly tab: string;
  readonly clock: Clock;
  /** Every leader is asked to take it, before anything else. */
  readonly schema: SchemaDefinition;
  /** Missing: this worker is alone and will run the engine itself. */
  readonly bus?: Bus;
}

/**
 * Sends a page's calls to whoever runs the engine: this worker, or the leader in another tab. Calls keep their order; those without an answer
 * when the leader changes are sent to the next one (writes set state, so doing one twice is harmless), and watches start there again.
 */
export class TabRouter implements Service {
  readonly #options: RouterOptions;
  readonly #pending = new Map<number, PendingCall>();
  readonly #watches = new Map<number, RoutedWatch>();
  readonly #stops: (() => void)[] = [];
  /** Rejects when a leader refuses this tab's schema. */
  readonly refused: Promise<never>;
  #refuse!: (error: DbError) => void;
  #onReady!: () => void;
  readonly #ready: Promise<void>;
  #adoption: number | undefined;
  #target: Target = { type: 'none' };
  #nextId = 1;
  #ended: DbError | undefined;
  #cancelAsk: (() => void) | undefined;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.refused = new Promise((_, reject) => {
      this.#refuse = reject;
    });
    this.refused.catch(() => {});
    this.#ready = new Promise((resolve) => {
      this.#onReady = resolve;
    });
    const { bus, database, tab } = options;
    if (bus === undefined) return;
    this.#stops.push(bus.subscribe(tabTopic(database, tab), (message) => this.#onMessage(message as ToFollower)));
    this.#stops.push(bus.subscribe(commonTopic(database), (message) => this.#onCommon(message as CommonMessage)));
    this.#ask();
  }

  get leads(): boolean {
    return this.#target.type === 'engine';
  }

  /** Resolves when somebody leads who takes this tab's schema. @throws SCHEMA_CONFLICT */
  async ready(): Promise<void> {
    await Promise.race([this.#ready, this.refused]);
  }

  call(call: Call): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#target.type === 'engine') return this.#target.service.call(call);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      // The log's word may be long in coming, and an upload takes its time.
      const hasDeadline = call.method !== 'wait' && call.method !== 'upload';
      const cancelDeadline = hasDeadline
        ? this.#options.clock.after(CALL_DEADLINE_MS, () => {
            if (this.#pending.delete(id)) reject(noAnswer(call));
          })
        : () => {};
      this.#pending.set(id, { call, resolve, reject, cancelDeadline });
      this.#sendCall(id, call);
    });
  }

  watch(watch: WatchRequest, sink: WatchSink): () => void {
    const id = this.#nextId++;
    const routed: RoutedWatch = { watch, sink, stop: () => {} };
    this.#watches.set(id, routed);
    this.#startWatch(id, routed);
    return () => {
      if (this.#watches.delete(id)) routed.stop();
    };
  }

  /** From now on calls go to the engine of this worker, beginning with those that no leader has answered. */
  lead(service: Service): void {
    this.#cancelAsk?.();
    this.#setTarget({ type: 'engine', service });
  }

  /** Every call, waiting and future, fails with `error`; watches are told once and end. */
  end(error: DbError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#cancelAsk?.();
    for (const stop of this.#stops) stop();
    for (const pending of this.#pending.values()) {
      pending.cancelDeadline();
      pending.reject(error);
    }
    for (const watch of this.#watches.values()) watch.stop();
    this.#pending.clear();
    this.#watches.clear();
  }

  #setTarget(target: Target): void {
    this.#target = target;
    if (this.#adoption !== undefined) this.#take(this.#adoption);
    if (target.type === 'engine') this.#onReady();
    if (target.type === 'leader') this.#adopt();
    for (const [id, pending] of [...this.#pending]) {
      if (target.type === 'engine') this.#settle(id, target.service.call(pending.call));
      else if (id !== this.#adoption) this.#sendCall(id, pending.call);
    }
    for (const [id, routed] of this.#watches) {
      routed.stop();
      this.#startWatch(id, routed);
    }
  }

  /** The first call to every leader. */
  #adopt(): void {
    this.#adoption = this.#nextId;
    this.call({ method: 'adopt', request: this.#options.schema }).then(
      () => this.#onReady(),
      (thrown: unknown) => {
        // Without an answer in time, the next leader is asked.
        if (DbError.from(thrown).code === 'SCHEMA_CONFLICT') this.#refuse(DbError.from(thrown));
      },
    );
  }

  #settle(id: number, answer: Promise<unknown>): void {
    answer.then(
      (value) => this.#take(id)?.resolve(value),
      (thrown: unknown) => this.#take(id)?.reject(DbError.from(thrown)),
    );
  }

  #take(id: number): PendingCall | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.cancelDeadline();
    return pending;
  }

  #startWatch(id: number, routed: RoutedWatch): void {
    if (this.#target.type === 'engine') {
      routed.stop = this.#target.service.watch(routed.watch, routed.sink);
    } else if (this.#target.type === 'leader') {
      const { leader } = this.#target;
      this.#send(leader, { type: 'watch', from: this.#options.tab, id, watch: routed.watch });
      routed.stop = () => this.#send(leader, { type: 'unwatch', from: this.#options.tab, id });
    }
  }

  #sendCall(id: number, call: Call): void {
    if (this.#target.type === 'leader') this.#send(this.#target.leader, { type: 'call', from: this.#options.tab, id, call });
  }

  #send(leader: string, message: ToLeader): void {
    this.#options.bus?.publish(tabTopic(this.#options.database, leader), message);
  }

  #onCommon(message: CommonMessage): void {
    if (message.type !== 'lead' || this.#target.type === 'engine') return;
    if (this.#target.type === 'leader' && message.term <= this.#target.term) return;
    this.#setTarget({ type: 'leader', leader: message.leader, term: message.term });
  }

  #onMessage(message: ToFollower): void {
    if (this.#target.type !== 'leader' || message.term !== this.#target.term) return;
    switch (message.type) {
      case 'answer':
        this.#take(message.id)?.resolve(message.value);
        return;
      case 'failure':
        this.#take(message.id)?.reject(DbError.fromMessage(message.error));
        return;
      case 'result':
        this.#onResult(message);
        return;
      case 'watch-error':
        this.#watches.get(message.id)?.sink.onError(DbError.fromMessage(message.error));
        return;
      default:
        // Calls of followers arrive on the same topic when this tab leads; the desk has them.
        return;
    }
  }

  #onResult({ id, term, result }: Extract<ToFollower, { type: 'result' }>): void {
    const routed = this.#watches.get(id);
    if (routed === undefined) return;
    const taken = (): void => {
      if (this.#target.type === 'leader' && this.#target.term === term) {
        this.#send(this.#target.leader, { type: 'taken', from: this.#options.tab, id });
      }
    };
    routed.sink.onResult(result).then(taken, taken);
  }

  /** Asked until somebody leads, and while calls wait: it costs one small message a second. */
  #ask(): void {
    if (this.#target.type === 'none' || this.#pending.size > 0) {
      this.#options.bus?.publish(commonTopic(this.#options.database), { type: 'who-leads' } satisfies CommonMessage);
    }
    this.#cancelAsk = this.#options.clock.after(ASK_EVERY_MS, () => this.#ask());
  }
}

function noAnswer(call: Call): DbError {
  return new DbError('TIMEOUT', `${call.method}: no tab answered for ${CALL_DEADLINE_MS} ms; the call may still take effect`, {
    details: { method: call.method, timeoutMs: CALL_DEADLINE_MS },
  });
}
