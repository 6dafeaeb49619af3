import { assert } from '../errors/assert.ts';
import type { JsonValue } from '../errors/db-error.ts';
import { canonicalJson } from '../value/canonical-json.ts';
import { normalizeInt64 } from '../value/scalar.ts';
import type { ScalarValue, StoredValue } from '../value/value.ts';
import type { CollectionDefinition, FieldDefinition, FieldDefinitionOf, Kind } from './definition.ts';

/** Questions about a canonical definition. Definitions are immutable, so answers are computed once per definition object. */
export type TextField = FieldDefinitionOf<'text'> | FieldDefinitionOf<'collabText'>;
export type AnyVectorField = FieldDefinitionOf<'vector'> | FieldDefinitionOf<'sparseVector'> | FieldDefinitionOf<'binaryVector'>;

interface Lookup {
  readonly byName: ReadonlyMap<string, FieldDefinition>;
  readonly values: readonly FieldDefinition[];
  readonly vectors: readonly AnyVectorField[];
  readonly searchable: readonly TextField[];
  readonly defaultSelect: readonly string[];
}
const lookups = new WeakMap<CollectionDefinition, Lookup>();
const defaults = new WeakMap<FieldDefinition, StoredValue>();

function lookup(definition: CollectionDefinition): Lookup {
  const known = lookups.get(definition);
  if (known) return known;
  const { fields } = definition;
  const made: Lookup = {
    byName: new Map(fields.map((field) => [field.name, field])),
    values: fields.slice(1),
    vectors: fields.filter(isVectorField),
    searchable: fields.filter((field): field is TextField => (field.type === 'text' || field.type === 'collabText') && field.params.search),
    defaultSelect: fields.filter((field) => !isVectorField(field)).map((field) => field.name),
  };
  lookups.set(definition, made);
  return made;
}

export function isVectorKind(kind: Kind): kind is AnyVectorField['type'] {
  return kind === 'vector' || kind === 'sparseVector' || kind === 'binaryVector';
}

export function isVectorField(field: FieldDefinition): field is AnyVectorField {
  return isVectorKind(field.type);
}

export function keyFieldOf(definition: CollectionDefinition): FieldDefinitionOf<'primaryKey'> {
  const key = definition.fields[0];
  assert(key?.type === 'primaryKey', 'the key field comes first in a definition');
  return key;
}

/** The key field too. */
export function fieldOf(definition: CollectionDefinition, name: string): FieldDefinition | undefined {
  return lookup(definition).byName.get(name);
}

/** All fields but the key, by name. */
export function valueFieldsOf(definition: CollectionDefinition): readonly FieldDefinition[] {
  return lookup(definition).values;
}

export function vectorFieldsOf(definition: CollectionDefinition): readonly AnyVectorField[] {
  return lookup(definition).vectors;
}

/** Text and collab text with `search`. */
export function searchableTextFieldsOf(definition: CollectionDefinition): readonly TextField[] {
  return lookup(definition).searchable;
}

/** What comes without `select`: all but vectors, the key first. */
export function defaultSelectOf(definition: CollectionDefinition): readonly string[] {
  return lookup(definition).defaultSelect;
}

/** What a field holds that a put leaves out, and what rows older than the field read as; null if there is no default. Shared: not to be changed. */
export function defaultValueOf(field: FieldDefinition): StoredValue {
  if (field.default === undefined) return null;
  const known = defaults.get(field);
  if (known !== undefined) return known;
  const value = storedDefault(field, field.default);
  defaults.set(field, value);
  return value;
}

function storedDefault(field: FieldDefinition, json: JsonValue): StoredValue {
  switch (field.type) {
    case 'int64':
      return normalizeInt64(typeof json === 'string' ? BigInt(json) : json) ?? null;
    case 'date':
      return Date.parse(json as string);
    case 'json':
      return canonicalJson(json) as string;
    case 'array':
      return (json as readonly JsonValue[]).map((item) => storedDefault(field.params.of, item) as ScalarValue);
    default:
      return json as ScalarValue;
  }
}
