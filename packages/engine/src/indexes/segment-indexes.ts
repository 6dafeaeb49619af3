import { assert } from '@terndb/core';
import type { ManifestIndex } from '../manifest/types.ts';
import type { IndexKind } from './types.ts';

interface Attached {
  readonly kind: IndexKind<unknown>;
  readonly field: string;
  readonly index: unknown;
  readonly bytes: number;
}

/** The open indexes of one open segment. They live as long as it does: whoever may read the segment may read them. */
export class SegmentIndexes {
  readonly #attached = new Map<string, Attached>();
  readonly #listed = new Map<string, ManifestIndex>();
  /** By the name of the object. */
  readonly #dropped = new Set<string>();
  #closed = false;

  /** By the kind's type: all kinds of one type open to the same. */
  get<T>(kind: IndexKind<T>, field: string): T | undefined {
    return this.#attached.get(keyOf(kind.type, field))?.index as T | undefined;
  }

  has(type: string, field: string): boolean {
    return this.#attached.has(keyOf(type, field));
  }

  /** The files that the manifest names. */
  list(indexes: readonly ManifestIndex[]): void {
    for (const index of indexes) this.#listed.set(keyOf(index.type, index.field), index);
  }

  /** The file to open; undefined when the manifest names none, or one that was dropped. */
  listed(type: string, field: string): ManifestIndex | undefined {
    const index = this.#listed.get(keyOf(type, field));
    return index === undefined || this.#dropped.has(index.name) ? undefined : index;
  }

  /** `field:type` of each, in order. */
  names(): string[] {
    return Array.from(this.#attached.values(), ({ kind, field }) => `${field}:${kind.type}`).sort();
  }

  /** Lengths of the files behind the open indexes. */
  get bytes(): number {
    let sum = 0;
    for (const { bytes } of this.#attached.values()) sum += bytes;
    return sum;
  }

  /** Of those over one field. */
  bytesOf(field: string): number {
    let sum = 0;
    for (const attached of this.#attached.values()) if (attached.field === field) sum += attached.bytes;
    return sum;
  }

  /** Takes the index over. When there is one already, or the segment is gone, it is closed at once. */
  attach<T>(kind: IndexKind<T>, field: string, index: T, bytes: number): void {
    const key = keyOf(kind.type, field);
    if (this.#closed || this.#attached.has(key)) kind.close(index);
    else this.#attached.set(key, { kind: kind as IndexKind<unknown>, field, index, bytes });
  }

  /** Closes it, if it is open: reads do without. */
  detach(type: string, field: string): void {
    const key = keyOf(type, field);
    const attached = this.#attached.get(key);
    if (attached === undefined) return;
    this.#attached.delete(key);
    attached.kind.close(attached.index);
  }

  /** The object by this name is of no use (damaged, lost, not what the field asks for any more): it is not opened again while the segment is open, and may be replaced. */
  drop(name: string): void {
    this.#dropped.add(name);
  }

  isDropped(name: string): boolean {
    return this.#dropped.has(name);
  }

  /** After the object was written anew. */
  takeBack(name: string): void {
    this.#dropped.delete(name);
  }

  /** With the segment. */
  close(): void {
    assert(!this.#closed, 'segment indexes: closed twice');
    this.#closed = true;
    for (const { kind, index } of this.#attached.values()) kind.close(index);
    this.#attached.clear();
  }
}

function keyOf(type: string, field: string): string {
  return `${type}\n${field}`;
}
