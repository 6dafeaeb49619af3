import { type Clock, DbError, type MetaStore } from '@terndb/core';
import type { Embedder, LoadProgress } from '@terndb/embed';
import { type Engine, meaningFieldsOf, type QueryEmbedding, type SearchRequest } from '@terndb/engine';
import { type LoadEmbedder, recallModel, rememberModel } from './embedder-loader.ts';
import { EmbeddingQueue } from './embedding-queue.ts';
import { type EmbeddedPlace, embeddedPlaces, knownOf, misfitOf } from './fitting.ts';
import type { EmbedderConfig, EmbeddingReport } from './protocol.ts';
import { QueryCache } from './query-cache.ts';

export interface EmbeddingServiceOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly meta: MetaStore;
  readonly config: EmbedderConfig;
  readonly load: LoadEmbedder;
  /** Which rows this device embeds; default: all. */
  readonly mayEmbed?: (partition: string, author: string) => boolean;
}

/** Waiting between tries after trouble that may pass. */
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 5 * 60 * 1000;
/** Reasons that trying again does not mend. */
const LASTING_TROUBLE: ReadonlySet<unknown> = new Set(['model-missing', 'model-unsupported', 'closed']);
/** Reports are told at most this often. */
const REPORT_EVERY_MS = 100;

/**
 * Embedding in one database: loads the embedder when the first row or search needs it, keeps the queue going, turns search texts into vectors, and
 * says how it stands. Whatever fails here, keyword search goes on.
 */
export class EmbeddingService {
  readonly #options: EmbeddingServiceOptions;
  readonly #queue: EmbeddingQueue;
  readonly #queries = new QueryCache();
  readonly #listeners = new Set<() => void>();
  readonly #spaceListeners = new Set<() => void>();
  readonly #after: Clock['after'] = (delayMs, callback) => this.#options.clock.after(delayMs, callback);
  readonly #older = new Map<string, Promise<Embedder | undefined>>();
  readonly #progress = new Map<string, LoadProgress>();
  #embedder: Promise<Embedder> | undefined;
  #ready: Embedder | undefined;
  #state: EmbeddingReport['state'] = 'off';
  #error: DbError | null = null;
  #retryMs = FIRST_RETRY_MS;
  #cancelRetry: () => void = () => {};
  #cancelReport: (() => void) | undefined;
  #isClosed = false;
  /** Of each field, as text. */
  #models = '';
  /** Fields that this embedder can fill, as far as is known. */
  readonly #places: readonly EmbeddedPlace[];

  constructor(options: EmbeddingServiceOptions) {
    const { engine, clock, meta, config } = options;
    this.#options = options;
    const places = embeddedPlaces(engine);
    const misfits = places.map((place) => misfitOf(place, knownOf(config)));
    this.#places = places.filter((_, index) => misfits[index] === undefined);
    this.#error = misfits.find((misfit) => misfit !== undefined) ?? null;
    this.#queue = new EmbeddingQueue({
      engine,
      clock,
      meta,
      fields: this.#places,
      knownModel: config.type === 'page' ? config.id : undefined,
      mayEmbed: options.mayEmbed,
      embedder: () => this.#load(),
      loaded: () => this.#ready,
      onProgress: () => this.#changed(),
      onIdle: () => this.#checkSpaces(),
      onTrouble: (error) => this.#failed(error),
    });
  }

  static isNeeded(engine: Engine): boolean {
    return embeddedPlaces(engine).length > 0;
  }

  report(): EmbeddingReport {
    const { done, waiting, isPaused } = this.#queue;
    const loads = [...this.#progress.values()];
    const total = loads.reduce((bytes, { totalBytes }) => bytes + (totalBytes ?? Number.NaN), 0);
    return {
      state: this.#state,
      model: this.#ready?.id ?? null,
      ...(this.#ready?.device === undefined ? {} : { device: this.#ready.device }),
      loadedBytes: loads.reduce((bytes, { loadedBytes }) => bytes + loadedBytes, 0),
      totalBytes: loads.length === 0 || Number.isNaN(total) ? null : total,
      done,
      waiting,
      paused: isPaused,
      error: this.#error?.toJSON() ?? null,
    };
  }

  /** Called after something of the report changed, at most ten times a second. */
  onReport(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called when searches by text should be looked at anew: the embedder is there, or rows went from one model to another. */
  onSpaces(listener: () => void): () => void {
    this.#spaceListeners.add(listener);
    return () => this.#spaceListeners.delete(listener);
  }

  setPaused(isPaused: boolean): void {
    if (!isPaused) this.#retryNow();
    this.#queue.setPaused(isPaused);
    this.#changed();
  }

  /** Whether the answer to this search depends on the embedder. */
  concerns(request: SearchRequest): boolean {
    return this.#fieldsOf(request).length > 0;
  }

  /**
   * The request with the vectors of its text. Without an embedder yet a search that has keywords to go by is answered without; one by meaning alone
   * waits. Rejects with why there is no embedder.
   */
  async withVectors(request: SearchRequest): Promise<SearchRequest> {
    const fields = this.#fieldsOf(request);
    if (fields.length === 0) return { ...request, embedded: undefined };
    const { engine } = this.#options;
    const loading = this.#load();
    const needsMeaning = request.mode === 'semantic' || !hasKeywords(engine, request);
    if (this.#ready === undefined && !needsMeaning) {
      loading.catch(() => {});
      return { ...request, embedded: undefined };
    }
    try {
      const embedder = await loading;
      const embedded = await Promise.all(fields.map((field) => this.#embedIn(field, request, embedder)));
      return { ...request, embedded: embedded.flat() };
    } catch (thrown) {
      if (needsMeaning) throw thrown;
      return { ...request, embedded: undefined };
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.close();
    this.#cancelRetry();
    this.#cancelReport?.();
    void this.#ready?.close();
    for (const older of this.#older.values()) void older.then((embedder) => embedder?.close());
  }

  #fieldsOf(request: SearchRequest): readonly string[] {
    const definition = this.#options.engine.schema.collections[request.collection];
    const fields = definition === undefined ? [] : meaningFieldsOf(definition, request);
    return fields.filter((field) =>
      this.#places.some((place) => {
        if (place.collection !== request.collection || place.field !== field) return false;
        return this.#ready === undefined || misfitOf(place, this.#ready) === undefined;
      }),
    );
  }

  /** The text in each space that the field's rows are in. A model that cannot be loaded any more is left out: its rows wait for the new one. */
  async #embedIn(field: string, { collection, text }: SearchRequest, embedder: Embedder): Promise<QueryEmbedding[]> {
    const others = this.#options.engine.vectorModels(collection, field).filter((model) => model !== embedder.id);
    const older = await Promise.all(others.map((model) => this.#olderEmbedder(model)));
    const all = [embedder, ...older.filter((one) => one !== undefined)];
    return Promise.all(
      all.map(async (one) => ({
        field,
        model: one.id,
        vector: await this.#queries.get(one, String(text)),
        withGiven: one === embedder,
      })),
    );
  }

  #olderEmbedder(id: string): Promise<Embedder | undefined> {
    let older = this.#older.get(id);
    if (older === undefined) {
      older = recallModel(this.#options.meta, id)
        .then(async (config) => config && (await this.#options.load(config, { after: this.#after })))
        // Another model by now lies where the old one was.
        .then((embedder) => (embedder?.id === id ? embedder : undefined))
        .catch(() => undefined);
      this.#older.set(id, older);
    }
    return older;
  }

  #load(): Promise<Embedder> {
    if (this.#embedder !== undefined) return this.#embedder;
    this.#state = 'loading';
    this.#error = null;
    this.#changed();
    const loading = this.#options.load(this.#options.config, {
      after: this.#after,
      onProgress: (progress) => {
        this.#progress.set(progress.file, progress);
        this.#changed();
      },
    });
    this.#embedder = loading;
    loading.then(
      (embedder) => this.#loaded(embedder),
      (thrown: unknown) => this.#failed(DbError.from(thrown)),
    );
    return loading;
  }

  #loaded(embedder: Embedder): void {
    if (this.#isClosed) return void embedder.close();
    this.#ready = embedder;
    this.#state = 'ready';
    this.#retryMs = FIRST_RETRY_MS;
    rememberModel(this.#options.meta, embedder.id, this.#options.config).catch(() => {});
    this.#changed();
    this.#queue.wake();
    this.#spacesChanged();
  }

  /** Trouble that may pass is tried again after a while, longer each time; other trouble when the application says so (`resume`). */
  #failed(error: DbError): void {
    // The queue hears of a load that fails, too.
    if (this.#isClosed || error.code === 'ABORTED' || error === this.#error) return;
    this.#error = error;
    if (this.#ready === undefined) {
      this.#embedder = undefined;
      this.#state = 'failed';
      this.#progress.clear();
      // Until the retry, nobody else starts one.
      this.#embedder = Promise.reject(error);
      this.#embedder.catch(() => {});
    }
    this.#changed();
    if (error.kind !== 'unavailable' || LASTING_TROUBLE.has(error.details['reason'])) return;
    this.#cancelRetry();
    this.#cancelRetry = this.#options.clock.after(this.#retryMs, () => this.#retryNow());
    this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2);
  }

  #retryNow(): void {
    this.#cancelRetry();
    if (this.#state === 'failed') this.#embedder = undefined;
    this.#error = null;
    this.#queue.wake();
  }

  /** After a round of the queue: only rows that went from one model to another concern searches under way. */
  #checkSpaces(): void {
    const models = JSON.stringify(this.#places.map(({ collection, field }) => this.#options.engine.vectorModels(collection, field)));
    if (models === this.#models) return;
    this.#models = models;
    this.#spacesChanged();
  }

  #spacesChanged(): void {
    for (const listener of [...this.#spaceListeners]) listener();
  }

  #changed(): void {
    if (this.#isClosed) return;
    this.#cancelReport ??= this.#options.clock.after(REPORT_EVERY_MS, () => {
      this.#cancelReport = undefined;
      for (const listener of [...this.#listeners]) listener();
    });
  }
}

function hasKeywords(engine: Engine, { collection, field }: SearchRequest): boolean {
  const { fields } = engine.definition(collection);
  const embedded = fields.some((one) => one.name === field && one.type === 'vector');
  return !embedded && fields.some((one) => (one.type === 'text' || one.type === 'collabText') && one.params.search);
}
