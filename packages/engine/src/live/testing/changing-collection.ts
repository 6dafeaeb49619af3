import type { CollectionDefinition, PrimaryKey, StoredFields } from '@terndb/core';
import type { Change, ReadScope } from '../../database/types.ts';
import type { ReadContext } from '../../read/context.ts';
import { LOCAL_INFO, type MemoryRow, memoryBlock, memoryView } from '../../read/testing/memory-view.ts';

export type Edit =
  | { readonly type: 'put'; readonly partition: string; readonly key: PrimaryKey; readonly fields: StoredFields }
  | { readonly type: 'delete'; readonly partition: string; readonly key: PrimaryKey }
  /** Rows move between growing and sealed; nothing visible changes. */
  | { readonly type: 'seal'; readonly partition: string };

/** A collection that changes under live reads: partitions of rows, of which some are sealed and some growing. */
export class ChangingCollection {
  readonly definition: CollectionDefinition;
  /** Views opened and not yet released. */
  open = 0;
  readonly #partitions = new Map<string, Map<PrimaryKey, MemoryRow & { readonly sealed: boolean }>>();
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  #version = 1;

  constructor(definition: CollectionDefinition, partitions: readonly string[]) {
    this.definition = definition;
    for (const partition of partitions) this.#partitions.set(partition, new Map());
  }

  readonly onChange = (listener: (changes: readonly Change[]) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** One batch: visible at once, told once. */
  apply(edits: readonly Edit[]): void {
    const changes: Change[] = [];
    for (const edit of edits) {
      const rows = this.#partitions.get(edit.partition)!;
      if (edit.type === 'seal') for (const [key, row] of rows) rows.set(key, { ...row, sealed: true });
      else {
        if (edit.type === 'delete') rows.delete(edit.key);
        else rows.set(edit.key, { key: edit.key, fields: edit.fields, version: this.#version++, sealed: false });
        changes.push({ collection: 'items', partition: edit.partition, keys: [edit.key] });
      }
    }
    if (changes.length > 0) for (const listener of [...this.#listeners]) listener(changes);
  }

  context(partitions?: readonly string[]): ReadContext {
    const names = partitions ?? [...this.#partitions.keys()];
    return {
      definition: this.definition,
      collection: 'items',
      info: LOCAL_INFO,
      partitions: names.map((partition) => ({ partition, view: this.#view(partition) })),
    };
  }

  readonly pin = (request: ReadScope): { readonly context: ReadContext; readonly release: () => void } => {
    this.open++;
    return {
      context: this.context(request.partitions),
      release: () => {
        this.open--;
      },
    };
  };

  #view(partition: string) {
    const rows = [...this.#partitions.get(partition)!.values()];
    const { definition } = this;
    return memoryView(definition, [
      memoryBlock({ definition, rows: rows.filter((row) => row.sealed), form: 'typed' }),
      memoryBlock({ definition, rows: rows.filter((row) => !row.sealed), form: 'values' }),
    ]);
  }
}
