import { compareDefinitions, defineSchema, f, mergeDefinitions, type Op, type SchemaDefinition } from '@terndb/core';
import { fieldsOf, singlesOf } from './model-fold.ts';

const ROWS = { a: f.number(), b: f.number(), c: f.number() };

/** What every app and the servers begin with. */
export const FIRST_SCHEMA: SchemaDefinition = defineSchema({ rows: ROWS }).definition;
/** An app that has one field more: it fits once the servers have it too. */
export const WIDER_SCHEMA: SchemaDefinition = defineSchema({ rows: { ...ROWS, d: f.number().nullable() } }, { version: 2 }).definition;
/** An app that means something else by a field: it never fits. */
export const FOREIGN_SCHEMA: SchemaDefinition = defineSchema({ rows: { ...ROWS, c: f.number().nullable() } }).definition;

/** Fields that are not of a schema: every row has them. */
const OTHER_FIELDS: ReadonlySet<string> = new Set(['v', 'y']);

export function fieldNamesOf(schema: SchemaDefinition): readonly string[] {
  return schema.collections['rows']!.fields.map(({ name }) => name);
}

/** Design 4: a difference that is additive is taken when the token grants it; what the servers have and the app has not is no difference. */
export function resolveSchema(
  servers: SchemaDefinition,
  app: SchemaDefinition,
  grantsSchema: boolean,
): SchemaDefinition | 'SCHEMA_UNKNOWN' | 'SCHEMA_CONFLICT' {
  const difference = compareDefinitions(servers, app);
  if (difference.type === 'conflict') return 'SCHEMA_CONFLICT';
  if (difference.type !== 'additive') return servers;
  return grantsSchema ? mergeDefinitions(servers, app) : 'SCHEMA_UNKNOWN';
}

/** Why servers with this schema can never take an op, as theirs do before they append it. */
export function refusalOf(servers: SchemaDefinition, op: Op): string | undefined {
  const known = fieldNamesOf(servers);
  const isKnown = (field: string): boolean => OTHER_FIELDS.has(field) || known.includes(field);
  return singlesOf(op).every((single) => fieldsOf(single).every(isKnown)) ? undefined : 'FIELD_UNKNOWN';
}
