import { type CollectionDefinition, compareStamps, type JsonValue, type PrimaryKey, type Stamp, toPublicEntity } from '@terndb/core';
import type { View } from '@terndb/engine';
import { encodeJsonValue } from '@terndb/sync';
import type { Touch } from './touched.ts';
import type { Change } from './types.ts';

type Row = NonNullable<ReturnType<View['find']>>;
type Entity = Readonly<Record<string, JsonValue>>;

/** Reads entities of one definition as JSON, and says how two states of one differ. */
export class Differences {
  readonly #definition: CollectionDefinition;
  readonly #fields: readonly string[];

  constructor(definition: CollectionDefinition, fields: readonly string[]) {
    this.#definition = definition;
    this.#fields = fields;
  }

  isOf(definition: CollectionDefinition): boolean {
    return definition === this.#definition;
  }

  insert(key: PrimaryKey, row: Row): Change {
    return { type: 'insert', key: keyOf(key), entity: this.#read(key, row) };
  }

  /** Exactly what the fold has changed; undefined: nothing that a reader could see. */
  between(key: PrimaryKey, before: Row | undefined, after: Row | undefined): Change | undefined {
    if (after === undefined) return before && { type: 'delete', key: keyOf(key) };
    if (before === undefined) return this.insert(key, after);
    // The row itself, untouched: an op that lost, or a push that was made twice.
    if (before.block.cacheKey === after.block.cacheKey && before.offset === after.offset) return undefined;
    const old = this.#read(key, before);
    const entries = Object.entries(this.#read(key, after)).filter(([name, value]) => !isSame(old[name], value));
    return entries.length === 0 ? undefined : { type: 'update', key: keyOf(key), fields: Object.fromEntries(entries) };
  }

  /** Without the state before: by the stamps of the row, which say which of its registers the range has set. */
  since(key: PrimaryKey, touch: Touch, after: Row | undefined): Change | undefined {
    if (after === undefined) return { type: 'delete', key: keyOf(key) };
    const stamps = after.block.stampsAt?.(after.offset);
    if (stamps === undefined || has(touch, stamps.put)) return this.insert(key, after);
    const names = new Set(touch.fields);
    for (const [name, stamp] of stamps.exceptions ?? []) if (has(touch, stamp)) names.add(name);
    const entity = this.#read(key, after);
    const entries = this.#fields.filter((name) => names.has(name)).map((name) => [name, entity[name] ?? null] as const);
    return entries.length === 0 ? undefined : { type: 'update', key: keyOf(key), fields: Object.fromEntries(entries) };
  }

  #read(key: PrimaryKey, { block, offset }: Row): Entity {
    const entity = toPublicEntity(this.#definition, this.#fields, key, (field) => block.valueAt(field.name, offset));
    return encodeJsonValue(entity) as Entity;
  }
}

const keyOf = (key: PrimaryKey): JsonValue => encodeJsonValue(key);

function has({ stamps }: Touch, stamp: Stamp): boolean {
  return stamps.some((one) => compareStamps(one, stamp) === 0);
}

function isSame(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  return JSON.stringify(a) === JSON.stringify(b);
}
