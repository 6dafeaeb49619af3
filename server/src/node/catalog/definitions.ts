import { type CollectionDefinition, checkCollection, compareDefinitions, fieldOf, isSameField, schemaConflict } from '@terndb/core';
import type { CollectionRecord } from './records.ts';

/** @returns what is given, checked: all that the record has, as it has it, and perhaps more. SCHEMA_INVALID, SCHEMA_CONFLICT. */
export function additive(record: CollectionRecord, given: CollectionDefinition): CollectionDefinition {
  const { name } = record;
  const definition = checkCollection(name, given);
  const schema = (of: CollectionDefinition) => ({ format: 1, version: record.version, collections: { [name]: of } }) as const;
  const difference = compareDefinitions(schema(record.definition), schema(definition));
  if (difference.type === 'older' || difference.type === 'conflict') throw schemaConflict(difference);
  return definition;
}

/**
 * Everything of both; where both have a field, that of `wanted`, so that a difference in it is seen. The time to live, and which index finds a scalar, is
 * what is stored: a device does not change it.
 */
export function unionOf(stored: CollectionDefinition, wanted: CollectionDefinition): CollectionDefinition {
  const fields = wanted.fields.map((field) => {
    const known = fieldOf(stored, field.name);
    return known !== undefined && isSameField(known, field) ? known : field;
  });
  return { ...stored, fields: [...fields, ...stored.fields.filter((field) => fieldOf(wanted, field.name) === undefined)] };
}
