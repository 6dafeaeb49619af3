import { type Clock, DbError, type LogBroker, type MetaStore, type ObjectStore } from '@terndb/core';
import { Failures } from './failures.ts';
import { degraded, type Finding, failing, type HealthCheck, OK } from './finding.ts';

/** What fails is tried again by itself at most this often, when somebody looks: nobody may write for hours. */
const TRY_MS = 2_000;
/** Neither is anybody's: no record and no channel has such a name. */
const TRIED_KEY = 'health';
const TRIED_OBJECT = 'health/tried';

export interface Storage {
  readonly log: LogBroker;
  readonly meta: MetaStore;
  readonly objects: ObjectStore;
}

/** The same storage, and how it is: every call that passes tells. */
export interface WatchedStorage extends Storage {
  readonly checks: Readonly<Record<'log' | 'meta' | 'objects', HealthCheck>>;
}

export function watchStorage({ log, meta, objects }: Storage, clock: Clock): WatchedStorage {
  const [ofLog, ofMeta, ofObjects] = [watchLog(log, clock), watchMeta(meta, clock), watchObjects(objects, clock)];
  return {
    log: ofLog.port,
    meta: ofMeta.port,
    objects: ofObjects.port,
    checks: { log: ofLog.check, meta: ofMeta.check, objects: ofObjects.check },
  };
}

interface Watched<P> {
  readonly port: P;
  readonly check: HealthCheck;
}

/** An append that fails is repeated by the leader, a cut by housekeeping: only reads are tried. */
function watchLog(log: LogBroker, clock: Clock): Watched<LogBroker> {
  const calls = new Calls<'append' | 'read' | 'cut'>(clock);
  const port: LogBroker = {
    append: (stream, expectedLast, entries) => calls.watch('append', log.append(stream, expectedLast, entries)),
    read: (stream, from, options) => calls.watch('read', log.read(stream, from, options)),
    bounds: (stream) => calls.watch('read', log.bounds(stream)),
    truncate: (stream, upTo) => calls.watch('cut', log.truncate(stream, upTo)),
  };
  const check = (): Finding => {
    const append = calls.failure('append');
    if (append !== undefined) return failing(`${append.code}: nothing can be appended`, append.sinceMs);
    const read = calls.failure('read', () => port.bounds('0'));
    if (read !== undefined) return failing(`${read.code}: reads fail`, read.sinceMs);
    const cut = calls.failure('cut');
    return cut === undefined ? OK : degraded(`${cut.code}: it cannot be cut, and grows`, cut.sinceMs);
  };
  return { port, check };
}

function watchMeta(meta: MetaStore, clock: Clock): Watched<MetaStore> {
  const calls = new Calls<'read' | 'write'>(clock);
  const port: MetaStore = {
    get: (key) => calls.watch('read', meta.get(key)),
    list: (prefix) => calls.watch('read', meta.list(prefix)),
    compareAndSet: (key, revision, value) => calls.watch('write', meta.compareAndSet(key, revision, value)),
    delete: (key, revision) => calls.watch('write', meta.delete(key, revision)),
  };
  const tryWrite = async (): Promise<void> => {
    const revision = (await port.get(TRIED_KEY))?.revision ?? 0;
    await port.compareAndSet(TRIED_KEY, revision, new Uint8Array(1));
  };
  const check = (): Finding => {
    const read = calls.failure('read', () => port.get(TRIED_KEY));
    if (read !== undefined) return failing(`${read.code}: reads fail`, read.sinceMs);
    const write = calls.failure('write', tryWrite);
    return write === undefined ? OK : failing(`${write.code}: nothing can be changed, nor sealed`, write.sinceMs);
  };
  return { port, check };
}

/** Without writes what is there is served, and nothing is sealed. */
function watchObjects(objects: ObjectStore, clock: Clock): Watched<ObjectStore> {
  const calls = new Calls<'head' | 'read' | 'list' | 'write' | 'delete'>(clock);
  const port: ObjectStore = {
    put: (name, parts) => calls.watch('write', objects.put(name, parts)),
    head: (name) => calls.watch('head', objects.head(name)),
    read: (name, offset, length) => calls.watch('read', objects.read(name, offset, length)),
    list: (prefix) => calls.watch('list', objects.list(prefix)),
    delete: (name) => calls.watch('delete', objects.delete(name)),
  };
  let tries = 0;
  const tryWrite = async (): Promise<void> => {
    tries += 1;
    // An object that is there is not written again. What a crash leaves is collected as any other.
    const name = `${TRIED_OBJECT}-${clock.nowMs()}-${tries}`;
    await port.put(name, [new Uint8Array(1)]);
    await port.delete(name);
  };
  const check = (): Finding => {
    for (const kind of ['head', 'read', 'list'] as const) {
      // Not the head of one that is not there: of a folder that is gone that says the same.
      const read = calls.failure(kind, () => port.list(TRIED_OBJECT));
      if (read !== undefined) return failing(`${read.code}: reads fail`, read.sinceMs);
    }
    const write = calls.failure('write', tryWrite);
    if (write !== undefined) return degraded(`${write.code}: nothing can be written, so nothing is sealed`, write.sinceMs);
    const removal = calls.failure('delete', tryWrite);
    return removal === undefined ? OK : degraded(`${removal.code}: nothing can be deleted`, removal.sinceMs);
  };
  return { port, check };
}

/** How the last call of each kind ended. */
class Calls<K extends string> {
  readonly #clock: Clock;
  readonly #failures = new Failures<K>();
  #triedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The call itself is handed on as it is: nobody waits for this. */
  watch<T>(kind: K, call: Promise<T>): Promise<T> {
    call.then(
      () => this.#failures.ended(kind),
      (thrown: unknown) => {
        const error = DbError.from(thrown);
        if (isOfStorage(error)) this.#failures.failed(kind, error, this.#clock.nowMs());
      },
    );
    return call;
  }

  /** `again`: a call of this kind, made now and then while the last one failed. */
  failure(kind: K, again?: () => Promise<unknown>): ReturnType<Failures<K>['of']> {
    const found = this.#failures.of(kind);
    if (found === undefined || again === undefined) return found;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#triedAtMs >= TRY_MS) {
      this.#triedAtMs = nowMs;
      again().then(
        () => this.#failures.ended(kind),
        () => {},
      );
    }
    return found;
  }
}

/** A conflict or a damaged object says nothing about the rest; what was closed is nobody's any more. */
function isOfStorage({ kind, code }: DbError): boolean {
  return kind === 'unavailable' && code !== 'ABORTED';
}
