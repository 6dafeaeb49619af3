import { type CollectionDefinition, crc32c, DbError, type FieldDefinition, type ObjectStore } from '@terndb/core';
import type { Kernel } from '@terndb/kernel';
import { checksumMismatch, formatInvalid } from '../bytes/damage.ts';
import { fromKernel } from '../database/from-kernel.ts';
import type { ManifestIndex } from '../manifest/types.ts';
import { indexName } from '../seal/object-names.ts';
import type { Segment } from '../segment/types.ts';
import { type IndexBuilder, type IndexFile, isKnownKind, makeIndexFile } from './index-builder.ts';
import { INDEX_KINDS } from './registry.ts';
import type { BuildContext, IndexKind } from './types.ts';

/** Files are read in pieces of this, so that the checksum of one is computed (in 2 to 4 ms) while the store fetches the next. */
const PIECE_BYTES = 4 << 20;
/** Asked for before they are needed. */
const PIECES_AHEAD = 2;
/** More is no index of a segment that a channel can hold, and is refused before memory is taken for it. */
const MAX_INDEX_BYTES = 2 ** 32;
/** Smaller segments are not worth another thread, which has to read them first. */
const MIN_ELSEWHERE_ROWS = 10_000;

/** Which index of which segment. */
export interface IndexPlace {
  readonly segment: Segment;
  readonly field: FieldDefinition;
  readonly kind: IndexKind<unknown>;
}

/** Whose segment it is. */
export interface IndexOwner {
  readonly channel: string;
  readonly definition: CollectionDefinition;
}

/** Writes index files to the object store and opens them from there, attached to their segment. */
export class IndexFiles {
  readonly kinds: readonly IndexKind<unknown>[];
  readonly #objects: ObjectStore;
  readonly #kernel: Kernel;
  readonly #builder: IndexBuilder | undefined;
  #damaged = 0;

  /** `builder`: takes over the builds of larger segments. */
  constructor(objects: ObjectStore, kernel: Kernel, kinds: readonly IndexKind<unknown>[] = INDEX_KINDS, builder?: IndexBuilder) {
    this.#objects = objects;
    this.#kernel = kernel;
    this.kinds = kinds;
    this.#builder = builder;
  }

  /** Files that were damaged, lost or of another version, and so were dropped. */
  get damaged(): number {
    return this.#damaged;
  }

  /** Opens a listed file and attaches it. False when it is damaged or lost: it is dropped. STORAGE_UNAVAILABLE, MEMORY_LIMIT. */
  async load({ segment, field, kind }: IndexPlace, listed: ManifestIndex): Promise<boolean> {
    try {
      await kind.prepare?.();
      const bytes = await this.#read(listed);
      segment.indexes.attach(kind, field.name, kind.open(bytes, segment, field, this.#kernel), bytes.length);
      return true;
    } catch (thrown) {
      const error = fromKernel(thrown);
      if (error.kind !== 'data') throw error;
      segment.indexes.drop(listed.name);
      this.#damaged += 1;
      return false;
    }
  }

  /** Loads what is listed of the kinds that come with their segment. What goes wrong is left to the background: reads do without. */
  async loadWithSegment(segment: Segment, fields: readonly FieldDefinition[], listed: readonly ManifestIndex[]): Promise<void> {
    for (const index of listed) {
      const kind = this.kinds.find(({ type }) => type === index.type);
      const field = fields.find(({ name }) => name === index.field);
      if (kind?.stage !== 'seal' || field === undefined || segment.indexes.has(kind.type, field.name)) continue;
      await this.load({ segment, field, kind }, index).catch(ignoreUnavailable);
    }
  }

  /**
   * Builds a file and writes it, over the one of this name that was dropped if there is one. Not listed anywhere yet.
   * @throws what the kind throws (MEMORY_LIMIT), ABORTED, STORAGE_FULL, STORAGE_UNAVAILABLE.
   */
  async build(place: IndexPlace, owner: IndexOwner, context: Omit<BuildContext, 'kernel'>): Promise<ManifestIndex> {
    const { segment, field, kind } = place;
    const { channel } = owner;
    try {
      const { parts, bytes, checksum } = await this.#make(place, owner, context);
      const name = indexName(channel, { segment: segment.id, type: kind.type, field: field.name, bytes, checksum });
      if (segment.indexes.isDropped(name)) await this.#objects.delete(name);
      await this.#objects.put(name, parts);
      segment.indexes.takeBack(name);
      return { field: field.name, type: kind.type, name, bytes, checksum };
    } catch (error) {
      throw fromKernel(error);
    }
  }

  /** Builds, writes and attaches the kinds that come with a new segment; a file that cannot be built is left to the background. ABORTED by `pause`. */
  async buildWithSegment(segment: Segment, owner: IndexOwner, pause: BuildContext['pause']): Promise<ManifestIndex[]> {
    const built: ManifestIndex[] = [];
    for (const kind of this.kinds) {
      for (const field of owner.definition.fields) {
        if (kind.stage !== 'seal' || !kind.wants(segment, field)) continue;
        try {
          const listed = await this.build({ segment, field, kind }, owner, { pause, onProgress: () => {} });
          if (await this.load({ segment, field, kind }, listed)) built.push(listed);
        } catch (error) {
          if (error instanceof DbError && error.code === 'ABORTED') throw error;
          ignoreUnavailable(error);
        }
      }
    }
    return built;
  }

  #make({ segment, field, kind }: IndexPlace, { definition }: IndexOwner, context: Omit<BuildContext, 'kernel'>): Promise<IndexFile> {
    if (this.#builder === undefined || segment.rows < MIN_ELSEWHERE_ROWS || !isKnownKind(kind))
      return makeIndexFile({ segment, field, kind }, { ...context, kernel: this.#kernel });
    const { id, channel, rows, bytes } = segment.info;
    const job = { object: segment.name, expected: { id, channel, rows, bytes }, definition, field: field.name, type: kind.type };
    return this.#builder.build(job, context);
  }

  async #read({ name, bytes, checksum }: ManifestIndex): Promise<Uint8Array<ArrayBuffer>> {
    const info = await this.#objects.head(name);
    if (info === undefined) throw new DbError('STORAGE_LOST', `index ${name}: expected in the store, got nothing`, { details: { name } });
    if (info.bytes !== bytes || bytes > MAX_INDEX_BYTES) throw formatInvalid(`index ${name}`, `${bytes} bytes expected, got ${info.bytes}`);
    const pieces: Promise<Uint8Array | undefined>[] = [];
    const ask = (from: number): void => {
      if (from >= bytes) return;
      const piece = this.#objects.read(name, from, Math.min(PIECE_BYTES, bytes - from));
      // If an earlier piece fails, nobody waits for this one any more.
      piece.catch(() => {});
      pieces.push(piece);
    };
    for (let ahead = 0; ahead < PIECES_AHEAD; ahead++) ask(ahead * PIECE_BYTES);
    const whole = new Uint8Array(bytes);
    let sum = 0;
    for (let from = 0; from < bytes; from += PIECE_BYTES) {
      ask(from + PIECES_AHEAD * PIECE_BYTES);
      const piece = await pieces.shift()!;
      if (piece === undefined)
        throw new DbError('STORAGE_LOST', `index ${name}: expected in the store, got nothing`, { details: { name } });
      sum = crc32c(piece, sum);
      whole.set(piece, from);
    }
    if (sum !== checksum) throw checksumMismatch(`index ${name}`, 'the file');
    return whole;
  }
}

/** Bugs are not swallowed. */
function ignoreUnavailable(error: unknown): void {
  const { kind } = fromKernel(error);
  if (kind === 'internal') throw error;
}
