import { type Clock, DbError, type MetaStore, type PrimaryKey } from '@terndb/core';
import type { Embedder } from '@terndb/embed';
import type { Engine, WaitingRow, WaitingRows } from '@terndb/engine';
import { type EmbeddedPlace, misfitOf } from './fitting.ts';
import type { StagedVector } from './staged-batch.ts';
import { type StagedSpace, StagedVectors } from './staged-vectors.ts';

export interface EmbeddingQueueOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly meta: MetaStore;
  readonly fields: readonly EmbeddedPlace[];
  /** The model's id, where it is known before the embedder is loaded. */
  readonly knownModel: string | undefined;
  readonly mayEmbed: ((partition: string, author: string) => boolean) | undefined;
  embedder(): Promise<Embedder>;
  /** The embedder, if it is there already. */
  loaded(): Embedder | undefined;
  /** `done` or `waiting` changed. */
  onProgress(): void;
  /** Nothing waits any more. */
  onIdle(): void;
  /** The queue stopped; `wake` goes on. Not told when the embedder could not be loaded: who loads it knows. */
  onTrouble(error: DbError): void;
}

/** Rows embedded and written in one go: enough for full batches of the model, some tenths of a second of the slowest. */
const BATCH_ROWS = 256;
/** Rows read and hashed without a pause for others: a few milliseconds. */
const LOOKED_AT_ONCE = 512;
/** Writes that come together are embedded together. */
const GATHER_MS = 20;
/** A text that several write gets its vector when nobody has typed for so long: one per pause, not per key. */
const PAUSE_MS = 1_500;

/**
 * The background queue. It has no memory of its own: what waits is found in the rows, so that it goes on after a reload, and an edit or a delete while
 * a text is being embedded is seen when its vector is written.
 */
export class EmbeddingQueue {
  readonly #options: EmbeddingQueueOptions;
  readonly #unsubscribe: () => void;
  done = 0;
  waiting = 0;
  isPaused = false;
  #isRunning = false;
  #isStale = true;
  #isClosed = false;
  #abort = new AbortController();
  /** The last batch written. */
  #storing: Promise<unknown> = Promise.resolve();
  #cancelWake: (() => void) | undefined;
  #cancelPause: (() => void) | undefined;

  constructor(options: EmbeddingQueueOptions) {
    this.#options = options;
    const collections = new Set(options.fields.map(({ collection }) => collection));
    this.#unsubscribe = options.engine.onChange((changes) => {
      if (changes.some(({ collection }) => collections.has(collection))) this.#gather();
    });
    if (options.fields.length > 0) this.#gather();
  }

  /** Looks for work now. */
  wake(): void {
    this.#isStale = true;
    if (this.#isRunning || this.isPaused || this.#isClosed) return;
    this.#isRunning = true;
    void this.#run().finally(() => {
      this.#isRunning = false;
    });
  }

  /** A batch under way is given up: its rows wait on. */
  setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
    if (isPaused) {
      this.#abort.abort();
      this.#abort = new AbortController();
    } else this.wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    this.#cancelWake?.();
    this.#cancelPause?.();
    this.#abort.abort();
  }

  #gather(): void {
    this.#isStale = true;
    this.#cancelWake ??= this.#options.clock.after(GATHER_MS, () => {
      this.#cancelWake = undefined;
      this.wake();
    });
  }

  #lookAfterPause(): void {
    this.#cancelPause ??= this.#options.clock.after(PAUSE_MS, () => {
      this.#cancelPause = undefined;
      this.wake();
    });
  }

  get #isStopped(): boolean {
    return this.isPaused || this.#isClosed;
  }

  async #run(): Promise<void> {
    try {
      while (this.#isStale && !this.#isStopped) {
        this.#isStale = false;
        for (const place of this.#options.fields) await this.#embedField(place);
      }
      if (!this.#isStopped) this.#rest();
    } catch (thrown) {
      this.#storing = Promise.resolve();
      const error = DbError.from(thrown);
      if (this.#isClosed || error.code === 'ABORTED' || error.code === 'DATABASE_CLOSED') return;
      this.#options.onTrouble(error);
    }
  }

  #rest(): void {
    if (this.done === 0) return;
    this.done = 0;
    this.waiting = 0;
    this.#options.onProgress();
    this.#options.onIdle();
  }

  async #embedField(place: EmbeddedPlace): Promise<void> {
    const { engine, knownModel } = this.#options;
    // Without the model's id, what any model made is as good as anything: only rows without a vector, or with a stale one, call for the embedder.
    const before = knownModel ?? engine.vectorModels(place.collection, place.field)[0] ?? '';
    const found = await this.#find(place, before);
    if (found.waiting === 0 || this.#isStopped) return await this.#whenLoaded(place, before);
    this.#tell(found.waiting);
    await this.#drain(place, await this.#options.embedder());
  }

  /** Nothing waits for the model that these vectors are of; if another one is loaded, all of them do. */
  async #whenLoaded(place: EmbeddedPlace, model: string): Promise<void> {
    const embedder = this.#options.loaded();
    if (embedder !== undefined && embedder.id !== model && !this.#isStopped) await this.#drain(place, embedder);
  }

  async #drain(place: EmbeddedPlace, embedder: Embedder): Promise<void> {
    const misfit = misfitOf(place, embedder);
    if (misfit !== undefined) throw misfit;
    const space: StagedSpace = { collection: place.collection, field: place.field, model: embedder.id, dim: embedder.dim };
    let staged = await StagedVectors.find(this.#options.meta, space);
    for (;;) {
      const { rows, waiting } = await this.#find(place, embedder.id, staged);
      this.#tell(waiting);
      if (this.#isStopped) break;
      if (rows.length > 0) staged = await this.#embedRows(space, embedder, rows, staged);
      else if (staged === undefined) break;
      else {
        await this.#exchange(space, staged);
        staged = undefined;
      }
    }
    await this.#storing;
  }

  /** @returns what holds the vectors back, once they turn out to be of another dimension than the rows have. */
  async #embedRows(
    space: StagedSpace,
    embedder: Embedder,
    rows: readonly WaitingRow[],
    staged: StagedVectors | undefined,
  ): Promise<StagedVectors | undefined> {
    const texts = rows.flatMap(({ text }) => (text === '' ? [] : [text]));
    const vectors = await embedder.embed(texts, { kind: 'passage', signal: this.#abort.signal });
    // The batch before is stored while this one is embedded; no more than one is on its way.
    await this.#storing;
    if (this.#isStopped) return staged;
    let next = 0;
    const derived = rows.map(({ partition, key, text, sourceHash }) => ({
      partition,
      key,
      sourceHash,
      vector: text === '' ? null : vectors[next++]!,
    }));
    let keeper = staged;
    if (keeper === undefined) {
      try {
        this.done += this.#write(space, derived);
        return undefined;
      } catch (thrown) {
        if (!(thrown instanceof DbError) || thrown.code !== 'DIMENSION_MISMATCH') throw thrown;
        keeper = await StagedVectors.create(this.#options.meta, space);
      }
    }
    await keeper.add(derived);
    this.done += derived.length;
    return keeper;
  }

  /** All have a vector of the new dimension: they take the old ones' place. Searches go by keywords for as long as the writing takes. */
  async #exchange(space: StagedSpace, staged: StagedVectors): Promise<void> {
    await this.#storing;
    await this.#options.engine.clearOtherDims(space.collection, space.field, space.dim);
    await staged.exchange((rows) => {
      this.#write(space, rows);
      return this.#storing;
    });
  }

  /** @returns how many rows took their vector; those that changed meanwhile do not. DIMENSION_MISMATCH */
  #write({ collection, field, model }: StagedSpace, vectors: readonly StagedVector[]): number {
    let written = 0;
    for (const partition of new Set(vectors.map((row) => row.partition))) {
      const own = vectors.filter((one) => one.partition === partition);
      const { keys, durable } = this.#options.engine.write({ type: 'vectors', collection, field, partition, model, vectors: own });
      written += keys.length;
      this.#storing = durable;
      durable.catch(() => {});
    }
    return written;
  }

  async #find(place: EmbeddedPlace, model: string, staged?: StagedVectors): Promise<WaitingRows> {
    const { engine, mayEmbed, clock } = this.#options;
    const { collection, field } = place;
    const request = {
      collection,
      field,
      model,
      maxRows: BATCH_ROWS,
      maxLookedAt: LOOKED_AT_ONCE,
      // Whose clock is ahead by more than a pause is taken to have paused.
      isBeingWritten: (changedMs: number) => Math.abs(clock.nowMs() - changedMs) < PAUSE_MS,
      ...(mayEmbed === undefined ? {} : { mayEmbed }),
      ...(staged === undefined ? {} : { isEmbedded: (partition: string, key: PrimaryKey) => staged.has(partition, key) }),
    };
    for (;;) {
      if (this.#isClosed) return { rows: [], waiting: 0, resting: 0, isComplete: true };
      const found = engine.waitingVectors(request);
      if (found.resting > 0) this.#lookAfterPause();
      // All is counted before the first batch: readers want to know how much is left, and each row is looked at once in any case.
      if (found.isComplete) return found;
      this.#tell(found.waiting);
      await new Promise<void>((resolve) => {
        clock.after(0, resolve);
      });
    }
  }

  #tell(waiting: number): void {
    this.waiting = waiting;
    this.#options.onProgress();
  }
}
