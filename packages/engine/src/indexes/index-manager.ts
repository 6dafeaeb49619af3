import { type Clock, DbError } from '@terndb/core';
import type { CatalogCollection } from '../catalog/catalog.ts';
import type { ManifestIndex } from '../manifest/types.ts';
import type { BlockState } from '../replica/block-state.ts';
import { SealedRows } from '../replica/sealed-rows.ts';
import type { Segment } from '../segment/types.ts';
import type { IndexFiles, IndexPlace } from './index-files.ts';

/** Work between two yields: a query that arrives waits for at most about this (design 8: slices of at most 8 ms). */
const SLICE_MS = 6;
/** After an open the first results come first. */
const FIRST_CHECK_MS = 100;
/** While segments keep changing (an import), most of what would be built is merged before it is of use, and the writer needs the time … */
const QUIET_MS = 500;
/** … but not for ever. */
const MAX_WAIT_MS = 10_000;
/** What failed for want of memory or storage is tried again after this. */
const RETRY_MS = 60_000;

/** A channel as it is shown now. */
export interface IndexedChannel {
  readonly name: string;
  readonly collection: Pick<CatalogCollection, 'name' | 'definition'>;
  readonly partition: string;
  readonly blocks: readonly BlockState[];
  /**
   * Names a new file in the channel's manifest (see `publishIndex`). Left out: somebody else builds, and what the manifest names is opened only.
   */
  readonly publish?: ((segment: Segment, index: ManifestIndex) => Promise<ManifestIndex | undefined>) | undefined;
}

export interface IndexManagerOptions {
  readonly files: IndexFiles;
  readonly clock: Clock;
  readonly channels: () => Iterable<IndexedChannel>;
  readonly deleteObject: (name: string) => Promise<void>;
}

/** What the manager is at. */
export interface IndexingState {
  /** The one that is loaded or built now. `done`: 0 to 1. */
  readonly current: {
    readonly collection: string;
    readonly partition: string;
    readonly segment: string;
    readonly field: string;
    readonly type: string;
    readonly step: 'load' | 'build';
    readonly done: number;
  } | null;
  /** Not yet begun. */
  readonly waiting: number;
  /** Files found damaged, lost or of another version since the database was opened. */
  readonly damaged: number;
  /** Tries that failed, for example for want of memory; repeated later. Reads are exact meanwhile. */
  readonly failed: number;
}

interface ShownPlace extends IndexPlace {
  readonly channel: IndexedChannel;
  readonly block: BlockState<SealedRows>;
}

/** A missing index of a segment that is shown, or one that is not what its field asks for. */
interface Task extends ShownPlace {
  /** Undefined: to be built. */
  readonly listed: ManifestIndex | undefined;
}

/**
 * Brings every shown segment to having its indexes: opens the files that manifests name, builds and publishes what is missing or damaged. One at
 * a time, in slices, from what is there now (level-triggered): whoever changes segments calls `check`, and nothing has to be remembered.
 */
export class IndexManager {
  readonly #options: IndexManagerOptions;
  #running: Promise<void> | undefined;
  #checkAgain = false;
  #current: { readonly task: Task; done: number } | undefined;
  #failed = 0;
  /** Until when (monotonic) not to try again, by segment and index. */
  readonly #notBefore = new Map<string, number>();
  #cancelTimer: () => void = () => {};
  #timerDueMs: number = Number.POSITIVE_INFINITY;
  #cancelQuietTimer: () => void = () => {};
  #unquietSinceMs: number | undefined;
  /** Ends the pause of the build that waits for its next slice. */
  #wake: () => void = () => {};
  #isClosed = false;

  constructor(options: IndexManagerOptions) {
    this.#options = options;
    this.checkAfter(FIRST_CHECK_MS);
  }

  /** In the background, soon. */
  checkAfter(delayMs: number): void {
    const { clock } = this.#options;
    const dueMs = clock.monotonicMs() + delayMs;
    if (this.#isClosed || dueMs >= this.#timerDueMs) return;
    this.#cancelTimer();
    this.#timerDueMs = dueMs;
    this.#cancelTimer = clock.after(delayMs, () => {
      this.#timerDueMs = Number.POSITIVE_INFINITY;
      void this.check();
    });
  }

  /** After a seal: in the background, once no other has followed for a while. */
  checkWhenQuiet(): void {
    const { clock } = this.#options;
    if (this.#isClosed) return;
    const now = clock.monotonicMs();
    this.#unquietSinceMs ??= now;
    this.#cancelQuietTimer();
    const delayMs = Math.min(QUIET_MS, Math.max(0, this.#unquietSinceMs + MAX_WAIT_MS - now));
    this.#cancelQuietTimer = clock.after(delayMs, () => {
      this.#unquietSinceMs = undefined;
      void this.check();
    });
  }

  /** Now, also what failed a moment ago; resolves when nothing is missing that can be had. */
  check(): Promise<void> {
    this.#notBefore.clear();
    this.#checkAgain = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  inspect(): IndexingState {
    const current = this.#current;
    return {
      current:
        current === undefined
          ? null
          : {
              collection: current.task.channel.collection.name,
              partition: current.task.channel.partition,
              segment: current.task.segment.id,
              field: current.task.field.name,
              type: current.task.kind.type,
              step: current.task.listed === undefined ? 'build' : 'load',
              done: current.done,
            },
      waiting: Math.max(0, this.#tasks().length - (current === undefined ? 0 : 1)),
      damaged: this.#options.files.damaged,
      failed: this.#failed,
    };
  }

  /** A build under way ends at its next pause. Resolves when nothing runs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer();
    this.#cancelQuietTimer();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    // Not before `check` knows that this runs.
    await Promise.resolve();
    while (this.#checkAgain && !this.#isClosed) {
      this.#checkAgain = false;
      for (const { segment, kind, field } of this.#places()) if (kind.isRefused?.(field)) segment.indexes.detach(kind.type, field.name);
      for (let task = this.#next(); task !== undefined && !this.#isClosed; task = this.#next()) await this.#perform(task);
    }
    this.#running = undefined;
  }

  /** Files that are there come before those to be built: they help sooner. */
  #next(): Task | undefined {
    const tasks = this.#tasks();
    return tasks.find((task) => task.listed !== undefined) ?? tasks[0];
  }

  #tasks(): Task[] {
    const now = this.#options.clock.monotonicMs();
    const tasks: Task[] = [];
    for (const place of this.#places()) {
      const { segment, kind, field, channel } = place;
      const isOpen = segment.indexes.has(kind.type, field.name);
      const isEnough = isOpen && (channel.publish === undefined || isAsAsked(place));
      if (isEnough || kind.isRefused?.(field) || (this.#notBefore.get(nameOf(place)) ?? 0) > now) continue;
      const listed = isOpen ? undefined : segment.indexes.listed(kind.type, field.name);
      if (listed === undefined && (channel.publish === undefined || !kind.wants(segment, field))) continue;
      tasks.push({ ...place, listed });
    }
    return tasks;
  }

  *#places(): Generator<ShownPlace> {
    const { files, channels } = this.#options;
    for (const channel of channels()) {
      for (const block of channel.blocks) {
        if (!isSealed(block)) continue;
        const { segment } = block.source;
        for (const kind of files.kinds)
          for (const field of channel.collection.definition.fields) yield { channel, block, segment, field, kind };
      }
    }
  }

  async #perform(task: Task): Promise<void> {
    const { block } = task;
    this.#current = { task, done: 0 };
    // The rows must stay while they are read.
    block.pin();
    try {
      if (task.listed !== undefined) await this.#options.files.load(task, task.listed);
      else await this.#build(task);
      if (task.listed === undefined && !isAsAsked(task)) this.#postpone(task);
    } catch {
      this.#postpone(task);
    } finally {
      this.#current = undefined;
      block.unpin();
    }
  }

  /** Nothing is tried again and again without a pause. */
  #postpone(task: Task): void {
    if (this.#isClosed || task.block.isRetired) return;
    this.#failed += 1;
    this.#notBefore.set(nameOf(task), this.#options.clock.monotonicMs() + RETRY_MS);
    this.checkAfter(RETRY_MS);
  }

  async #build(task: Task): Promise<void> {
    const { files, deleteObject } = this.#options;
    const { channel, segment, kind, field } = task;
    // Of one that is not what the field asks for: it serves until there is another.
    const before = segment.indexes.listed(kind.type, field.name);
    const owner = { channel: channel.name, definition: channel.collection.definition };
    const built = await files.build(task, owner, {
      pause: this.#slices(task),
      onProgress: (done) => {
        if (this.#current?.task === task) this.#current.done = done;
      },
    });
    if (before !== undefined && before.name !== built.name) segment.indexes.drop(before.name);
    const listed = await channel.publish?.(segment, built);
    if (listed?.name !== built.name) await deleteObject(built.name);
    if (listed === undefined) return;
    segment.indexes.list([listed]);
    segment.indexes.detach(kind.type, field.name);
    if (!task.block.isRetired) await files.load(task, listed);
  }

  /** Gives way when a slice's time is up. */
  #slices(task: Task): () => Promise<void> {
    const { clock } = this.#options;
    let begun = clock.monotonicMs();
    return async () => {
      this.#mustBeWanted(task);
      if (clock.monotonicMs() - begun < SLICE_MS) return;
      await new Promise<void>((resolve) => {
        const cancel = clock.after(0, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#mustBeWanted(task);
      begun = clock.monotonicMs();
    };
  }

  #mustBeWanted({ block, segment }: Task): void {
    if (!this.#isClosed && !block.isRetired) return;
    throw new DbError('ABORTED', `index of segment ${segment.id}: the build is not wanted any more`, { details: { segment: segment.id } });
  }
}

function isSealed(block: BlockState): block is BlockState<SealedRows> {
  return block.source instanceof SealedRows;
}

/** Open, and one that its field asks for. */
function isAsAsked({ segment, kind, field }: IndexPlace): boolean {
  const index = segment.indexes.get(kind, field.name);
  return index !== undefined && kind.suits?.(index, segment, field) !== false;
}

function nameOf({ segment, kind, field }: IndexPlace): string {
  return `${segment.id}\n${kind.type}\n${field.name}`;
}
