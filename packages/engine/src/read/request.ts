import {
  type CollectionDefinition,
  DbError,
  defaultSelectOf,
  type FieldDefinition,
  fieldOf,
  type JsonValue,
  type Kind,
  keyFieldOf,
  MAX_WINDOW,
} from '@terndb/core';
import type { ReadScope } from '../database/types.ts';

export interface Page {
  readonly offset: number;
  readonly limit: number;
}
export interface OrderTerm {
  readonly field: string;
  readonly descending: boolean;
}
export interface Selection {
  /** The key first, then the chosen fields, each once. */
  readonly fields: readonly string[];
}

const SORTABLE: ReadonlySet<Kind> = new Set<Kind>(['primaryKey', 'keyword', 'int64', 'number', 'boolean', 'date']);

/** A value as it appears in an error: short, and plain data. */
function shown(value: unknown): JsonValue {
  if (value === undefined) return 'nothing';
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return Number.isNaN(value) ? 'NaN' : (value as JsonValue);
  if (typeof value === 'string') return value.length > 100 ? `${value.slice(0, 100)}…` : value;
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (typeof value === 'object') return value.constructor?.name ?? 'object';
  return typeof value;
}

/** QUERY_INVALID that names the option, what it takes and what it got. */
export function invalidOption(collection: string, option: string, expected: string, got: unknown): DbError {
  const value = shown(got);
  return new DbError(
    'QUERY_INVALID',
    `${collection}: ${option}: ${expected} expected, got ${typeof got === 'string' ? JSON.stringify(value) : value}`,
    {
      details: { collection, option, expected, got: value },
    },
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** FIELD_UNKNOWN. */
export function mustGetField(definition: CollectionDefinition, collection: string, name: string, option: string): FieldDefinition {
  const field = fieldOf(definition, name);
  if (field === undefined) {
    const fields = definition.fields.map((candidate) => candidate.name);
    throw new DbError(
      'FIELD_UNKNOWN',
      `${collection}: ${option}: one of ${fields.join(', ')} expected, got ${JSON.stringify(shown(name))}`,
      {
        details: { collection, option, field: shown(name), expected: fields, got: shown(name) },
      },
    );
  }
  return field;
}

export function readPage(collection: string, request: { readonly limit?: unknown; readonly offset?: unknown }, defaultLimit: number): Page {
  const limit = readCount(collection, 'limit', request.limit, defaultLimit, 1);
  const offset = readCount(collection, 'offset', request.offset, 0, 0);
  if (offset + limit > MAX_WINDOW) {
    throw invalidOption(collection, 'offset + limit', `at most ${MAX_WINDOW}`, offset + limit);
  }
  return { limit, offset };
}

function readCount(collection: string, option: string, value: unknown, fallback: number, least: number): number {
  if (value === undefined || value === null) return fallback;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > MAX_WINDOW) {
    throw invalidOption(collection, option, `an integer from ${least} to ${MAX_WINDOW}`, value);
  }
  return value;
}

/** Without `select`: every field but vectors. The key always comes. */
export function readSelect(definition: CollectionDefinition, collection: string, select: unknown): Selection {
  if (select === undefined || select === null) {
    return { fields: defaultSelectOf(definition) };
  }
  if (!Array.isArray(select)) throw invalidOption(collection, 'select', 'an array of field names', select);
  const keyField = keyFieldOf(definition).name;
  const fields = new Set([keyField]);
  for (const name of select as readonly unknown[]) {
    if (typeof name !== 'string') throw invalidOption(collection, 'select', 'an array of field names', name);
    if (name !== keyField) mustGetField(definition, collection, name, 'select');
    fields.add(name);
  }
  return { fields: [...fields] };
}

/** One term or several. FIELD_UNKNOWN, QUERY_INVALID. */
export function readOrder(definition: CollectionDefinition, collection: string, orderBy: unknown): readonly OrderTerm[] {
  if (orderBy === undefined || orderBy === null) return [];
  const terms: readonly unknown[] = Array.isArray(orderBy) ? orderBy : [orderBy];
  return terms.map((term) => readOrderTerm(definition, collection, term));
}

function readOrderTerm(definition: CollectionDefinition, collection: string, term: unknown): OrderTerm {
  if (!isRecord(term) || typeof term['field'] !== 'string') throw invalidOption(collection, 'orderBy', '{ field, order? }', term);
  const order = term['order'] ?? 'asc';
  if (order !== 'asc' && order !== 'desc') throw invalidOption(collection, 'orderBy.order', `'asc' or 'desc'`, order);
  const name = term['field'];
  if (name !== keyFieldOf(definition).name) {
    const field = mustGetField(definition, collection, name, 'orderBy');
    if (!SORTABLE.has(field.type)) {
      throw invalidOption(collection, `orderBy.field ${name}`, `a field of kind ${[...SORTABLE].join(', ')}`, field.type);
    }
  }
  return { field: name, descending: order === 'desc' };
}

/**
 * A database that never connected answers from this device: what needs a server is NOT_CONNECTED. `{ atLeast }` is compared by the facade,
 * which says `degraded: 'behind-token'` when the token has seen more.
 */
export function checkScope(request: ReadScope): void {
  const { collection, scope, consistency } = request;
  if (scope === 'global' || scope === 'hybrid') throw notConnected(collection, 'scope', scope);
  if (scope !== undefined && scope !== null && scope !== 'local') {
    throw invalidOption(collection, 'scope', `'local', 'global' or 'hybrid'`, scope);
  }
  if (consistency === undefined || consistency === null || consistency === 'session' || consistency === 'eventually') return;
  if (consistency === 'strong' || consistency === 'bounded') throw notConnected(collection, 'consistency', consistency);
  if (isRecord(consistency)) {
    if (typeof consistency['atLeast'] === 'string') return;
    const staleness = consistency['maxStalenessMs'];
    if (typeof staleness === 'number' && staleness >= 0) throw notConnected(collection, 'consistency', 'maxStalenessMs');
  }
  throw invalidOption(
    collection,
    'consistency',
    `'strong', 'session', 'bounded', 'eventually', { maxStalenessMs } or { atLeast }`,
    consistency,
  );
}

function notConnected(collection: string, option: string, got: string): DbError {
  return new DbError('NOT_CONNECTED', `${collection}: ${option} '${got}' needs a server, and this database is not connected`, {
    details: { collection, option, got },
  });
}
