import { assert } from '../errors/assert.ts';
import type { CollectionDefinition, FieldDefinition } from '../schema/definition.ts';
import { fieldOf, keyFieldOf } from '../schema/lookup.ts';
import { elementsOf, widenVector } from './elements.ts';
import type { PrimaryKey, SparseValue, StoredValue, StoredVector } from './value.ts';

let readCollab: ((update: Uint8Array) => string) | undefined;

/**
 * How an opaque Yjs document reads: as the JSON text of its root types. Said by whoever loads Yjs, which core does not know, before there is a
 * replica of a collection with such a field. Code, not state: once per process, and of this copy of the module: files that a worker loads have their own.
 */
export function setCollabReader(read: (update: Uint8Array) => string): void {
  readCollab = read;
}

/**
 * From a stored value to what callers read. Gives plain structured-cloneable values; typed arrays and arrays are handed on, not copied. An opaque
 * Yjs document is read anew each time: O(document).
 */
export function toPublic(field: FieldDefinition, value: StoredValue): unknown {
  if (value === null) return field.type === 'collab' ? '{}' : null;
  switch (field.type) {
    case 'collab':
      assert(readCollab !== undefined, 'collab: its reader set before documents are read');
      return readCollab(value as Uint8Array);
    case 'date':
      return new Date(value as number);
    case 'json':
      return JSON.parse(value as string);
    case 'vector': {
      const elements = elementsOf(field);
      // No engine has an array of bfloat16, and not all have one of float16: halves are read as the float32 that they are.
      return elements === 'int8' ? value : widenVector(elements, value as StoredVector);
    }
    case 'sparseVector':
      return sparseRecord(value as SparseValue);
    default:
      return value;
  }
}

function sparseRecord({ indices, values }: SparseValue): Record<number, number> {
  const record: Record<number, number> = {};
  indices.forEach((dimension, i) => {
    record[dimension] = values[i]!;
  });
  return record;
}

/** The key and the selected fields; `read` gives their stored values. `select` names fields of the definition. */
export function toPublicEntity(
  definition: CollectionDefinition,
  select: readonly string[],
  pk: PrimaryKey,
  read: (field: FieldDefinition) => StoredValue,
): Record<string, unknown> {
  const entity: Record<string, unknown> = { [keyFieldOf(definition).name]: pk };
  for (const name of select) {
    const field = fieldOf(definition, name);
    if (field && field.type !== 'primaryKey') entity[name] = toPublic(field, read(field));
  }
  return entity;
}
