import type { SingleOp, Stamp, StoredFields, StoredValue } from '@terndb/core';
import type { VectorOrigin } from '../embedding/origin.ts';
import type { RowSource } from '../replica/row-source.ts';
import { foldDelete, foldPatch, foldPut } from './fold.ts';
import type { EntityStamps } from './registers.ts';

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
  readonly #stored: StoredRow | undefined;
  #stamps: EntityStamps | undefined;
  #values = new Map<string, StoredValue>();
  /** Of the fields in `#values`: what a derived vector was made from. */
  #origins = new Map<string, VectorOrigin>();
  #isChanged = false;

  constructor(
    defaults: ReadonlyMap<string, StoredValue>,
    stored: { readonly stamps: EntityStamps | undefined; readonly place: StoredRow | undefined },
  ) {
    this.#defaults = defaults;
    this.#stamps = stored.stamps;
    this.#stored = stored.place;
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

  apply(op: SingleOp, stamp: Stamp): void {
    switch (op.type) {
      case 'put':
        this.#put(op.fields, stamp);
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
        // Merging needs Yjs: until the fold knows it, the op waits in the outbox and shows nothing.
        break;
    }
  }

  #put(fields: StoredFields, stamp: Stamp): void {
    const after = foldPut(this.#stamps, stamp);
    if (after === undefined) return;
    if (after.live) {
      const values = new Map<string, StoredValue>();
      const origins = new Map<string, VectorOrigin>();
      for (const [field, otherwise] of this.#defaults) {
        const isKept = after.exceptions?.has(field) ?? false;
        values.set(field, isKept ? this.valueOf(field) : (fields[field] ?? (field in fields ? null : otherwise)));
        const origin = isKept ? this.originOf(field) : null;
        if (origin !== null) origins.set(field, origin);
      }
      this.#values = values;
      this.#origins = origins;
    }
    this.#become(after);
  }

  #patch(fields: StoredFields, stamp: Stamp, origin: VectorOrigin | undefined): void {
    const known = Object.keys(fields).filter((field) => this.#defaults.has(field));
    const effect = foldPatch(this.#stamps, stamp, known);
    if (effect === undefined) return;
    for (const field of effect.applied) {
      this.#values.set(field, fields[field]!);
      if (origin === undefined) this.#origins.delete(field);
      else this.#origins.set(field, origin);
    }
    this.#become(effect.stamps);
  }

  #become(after: EntityStamps | undefined): void {
    if (after === undefined) return;
    this.#stamps = after;
    this.#isChanged = true;
  }
}
