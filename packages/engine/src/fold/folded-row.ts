import type { SingleOp, Stamp, StoredFields, StoredValue, YjsOp } from '@terndb/core';
import { collabDocuments } from '../collab/load.ts';
import { isBaseOf } from '../collab/merge-row.ts';
import type { CollabKind, CollabState } from '../collab/types.ts';
import type { VectorOrigin } from '../embedding/origin.ts';
import type { RowSource } from '../replica/row-source.ts';
import { foldDelete, foldPatch, foldPut, foldYjs } from './fold.ts';
import type { EntityStamps } from './registers.ts';

const NO_COLLAB: ReadonlyMap<string, CollabKind> = new Map();

interface StoredRow {
  readonly block: { readonly source: RowSource };
  readonly offset: number;
}

/**
 * One entity while ops are folded over what is stored of it: registers over registers. Reads the stored values only where no op has set one.
 * Cost: O(fields) per put, O(fields named) per patch.
 */
export class FoldedRow {
  /** Stored default, or null, of each field but the key. */
  readonly #defaults: ReadonlyMap<string, StoredValue>;
  readonly #collab: ReadonlyMap<string, CollabKind>;
  readonly #stored: StoredRow | undefined;
  #stamps: EntityStamps | undefined;
  #values = new Map<string, StoredValue>();
  /** Of the fields in `#values`: what a derived vector was made from. */
  #origins = new Map<string, VectorOrigin>();
  /** Documents of the collab fields in `#values`; null: what a put began. */
  #states = new Map<string, CollabState | null>();
  #putSeq: number;
  #isChanged = false;

  constructor(
    defaults: ReadonlyMap<string, StoredValue>,
    stored: { readonly stamps: EntityStamps | undefined; readonly place: StoredRow | undefined },
    collab: ReadonlyMap<string, CollabKind> = NO_COLLAB,
  ) {
    this.#defaults = defaults;
    this.#collab = collab;
    this.#stamps = stored.stamps;
    this.#stored = stored.place;
    this.#putSeq = stored.place?.block.source.putSeqAt(stored.place.offset) ?? 0;
  }

  /** Undefined only while nothing is known of the key. */
  get stamps(): EntityStamps | undefined {
    return this.#stamps;
  }

  /** Whether any op had an effect. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** Of a live entity. */
  valueOf(field: string): StoredValue {
    const value = this.#values.get(field);
    if (value !== undefined) return value;
    return this.#stored?.block.source.valueAt(field, this.#stored.offset) ?? null;
  }

  /** Null: given by the application, or none. */
  originOf(field: string): VectorOrigin | null {
    if (this.#values.has(field)) return this.#origins.get(field) ?? null;
    return this.#stored?.block.source.origins(field)?.originAt(this.#stored.offset) ?? null;
  }

  /** Of a collab field. */
  collabOf(field: string): CollabState | null {
    if (this.#values.has(field)) return this.#states.get(field) ?? null;
    return this.#stored?.block.source.collabAt(field, this.#stored.offset) ?? null;
  }

  /** `seq` of the op that put the entity, as its origin has it; 0: not known. */
  get putSeq(): number {
    return this.#putSeq;
  }

  /** `seq`: of the op's origin; 0: not known. */
  apply(op: SingleOp, stamp: Stamp, seq: number = 0): void {
    switch (op.type) {
      case 'put':
        this.#put(op.fields, stamp, seq);
        break;
      case 'patch':
        this.#patch(op.fields, stamp, undefined);
        break;
      case 'delete':
        this.#become(foldDelete(this.#stamps, stamp));
        break;
      case 'vector':
        this.#patch({ [op.field]: op.vector }, stamp, { model: op.model, sourceHash: op.sourceHash });
        break;
      case 'yjs':
        this.#yjs(op, stamp);
        break;
    }
  }

  #put(fields: StoredFields, stamp: Stamp, seq: number): void {
    const after = foldPut(this.#stamps, stamp);
    if (after === undefined) return;
    if (after.live) {
      const values = new Map<string, StoredValue>();
      const origins = new Map<string, VectorOrigin>();
      for (const [field, otherwise] of this.#defaults) {
        // A collab field starts anew with each put, whatever its register says.
        const isKept = after.exceptions?.has(field) === true && !this.#collab.has(field);
        values.set(field, isKept ? this.valueOf(field) : (fields[field] ?? (field in fields ? null : otherwise)));
        const origin = isKept ? this.originOf(field) : null;
        if (origin !== null) origins.set(field, origin);
      }
      this.#values = values;
      this.#origins = origins;
      this.#states = new Map();
      this.#putSeq = seq;
    }
    this.#become(after);
  }

  #patch(fields: StoredFields, stamp: Stamp, origin: VectorOrigin | undefined): void {
    const known = Object.keys(fields).filter((field) => this.#defaults.has(field));
    const effect = foldPatch(this.#stamps, stamp, known);
    if (effect === undefined) return;
    for (const field of effect.applied) {
      this.#values.set(field, fields[field]!);
      this.#states.delete(field);
      if (origin === undefined) this.#origins.delete(field);
      else this.#origins.set(field, origin);
    }
    this.#become(effect.stamps);
  }

  #yjs({ field, base, update }: YjsOp, stamp: Stamp): void {
    const kind = this.#collab.get(field);
    if (kind === undefined || this.#stamps?.live !== true || !isBaseOf(base, this.#stamps.put, this.#putSeq)) return;
    const after = foldYjs(this.#stamps, stamp, field);
    if (after === undefined) return;
    const documents = collabDocuments();
    const before = this.collabOf(field) ?? documents.begin(kind, this.valueOf(field));
    const merged = documents.merge(kind, before, update, true);
    if (merged !== undefined) {
      this.#values.set(field, merged.value);
      this.#states.set(field, merged.state);
    }
    this.#become(after);
  }

  #become(after: EntityStamps | undefined): void {
    if (after === undefined) return;
    this.#stamps = after;
    this.#isChanged = true;
  }
}
