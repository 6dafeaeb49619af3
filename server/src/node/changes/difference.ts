import {
  type CollectionDefinition,
  compareStamps,
  type FieldDefinition,
  fieldOf,
  keyFieldOf,
  type PrimaryKey,
  type Stamp,
} from '@terndb/core';
import type { View } from '@terndb/engine';
import { fieldText, keyText } from './field-text.ts';
import type { Touch } from './touched.ts';

type Row = NonNullable<ReturnType<View['find']>>;

interface Column {
  readonly field: FieldDefinition;
  /** `"name":` */
  readonly label: string;
}

/**
 * Says how two states of one entity differ, as a line of JSON (`Change` in types.ts) that ends with a line break: what a reader of the feed costs is
 * mostly this, so it is written straight from what the rows hold.
 */
export class Differences {
  readonly #definition: CollectionDefinition;
  readonly #keyLabel: string;
  readonly #columns: readonly Column[];

  /** `fields`: of the definition, without the key. */
  constructor(definition: CollectionDefinition, fields: readonly string[]) {
    this.#definition = definition;
    this.#keyLabel = labelOf(keyFieldOf(definition).name);
    this.#columns = fields.map((name) => ({ field: fieldOf(definition, name)!, label: labelOf(name) }));
  }

  isOf(definition: CollectionDefinition): boolean {
    return definition === this.#definition;
  }

  insert(key: PrimaryKey, { block, offset }: Row): string {
    const name = keyText(key);
    let entity = `${this.#keyLabel}${name}`;
    for (const { field, label } of this.#columns) entity += `,${label}${fieldText(field, block.valueAt(field.name, offset))}`;
    return `{"type":"insert","key":${name},"entity":{${entity}}}\n`;
  }

  /** Exactly what the fold has changed; undefined: nothing that a reader could see. */
  between(key: PrimaryKey, before: Row | undefined, after: Row | undefined): string | undefined {
    if (after === undefined) return before && deleted(key);
    if (before === undefined) return this.insert(key, after);
    // The row itself, untouched: an op that lost, or a push that was made twice.
    if (before.block.cacheKey === after.block.cacheKey && before.offset === after.offset) return undefined;
    let fields = '';
    for (const { field, label } of this.#columns) {
      const old = before.block.valueAt(field.name, before.offset);
      const value = after.block.valueAt(field.name, after.offset);
      if (old === value) continue;
      const text = fieldText(field, value);
      if (text !== fieldText(field, old)) fields += `,${label}${text}`;
    }
    return updated(key, fields);
  }

  /** Without the state before: by the stamps of the row, which say which of its registers the range has set. */
  since(key: PrimaryKey, touch: Touch, after: Row | undefined): string | undefined {
    if (after === undefined) return deleted(key);
    const { block, offset } = after;
    const stamps = block.stampsAt?.(offset);
    if (stamps === undefined || has(touch, stamps.put)) return this.insert(key, after);
    const names = new Set(touch.fields);
    for (const [name, stamp] of stamps.exceptions ?? []) if (has(touch, stamp)) names.add(name);
    let fields = '';
    for (const { field, label } of this.#columns) {
      if (names.has(field.name)) fields += `,${label}${fieldText(field, block.valueAt(field.name, offset))}`;
    }
    return updated(key, fields);
  }
}

function labelOf(name: string): string {
  return `${JSON.stringify(name)}:`;
}

function deleted(key: PrimaryKey): string {
  return `{"type":"delete","key":${keyText(key)}}\n`;
}

/** `fields`: each with a comma before it. */
function updated(key: PrimaryKey, fields: string): string | undefined {
  return fields === '' ? undefined : `{"type":"update","key":${keyText(key)},"fields":{${fields.slice(1)}}}\n`;
}

function has({ stamps }: Touch, stamp: Stamp): boolean {
  return stamps.some((one) => compareStamps(one, stamp) === 0);
}
