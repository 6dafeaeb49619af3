import { MAX_NAME_LENGTH } from '../limits.ts';

/**
 * Members of a database object (`db.connect`, …) and names kept for later: a collection is reached as `db.<name>`. The client checks that
 * its members are all here.
 */
export const RESERVED_COLLECTIONS = [
  'name',
  'schema',
  'connect',
  'sync',
  'storage',
  'embedding',
  'on',
  'inspect',
  'export',
  'import',
  'openCollection',
  'logout',
  'close',
  'then',
  'constructor',
  'toString',
  'toJSON',
  'collection',
  'collections',
  'partitions',
  'transaction',
  'disconnect',
] as const;
export type ReservedCollection = (typeof RESERVED_COLLECTIONS)[number] | `_${string}`;

/** Words of `where`, and the members of Object.prototype: so a record of fields can be an ordinary object. */
export const RESERVED_FIELDS = [
  'and',
  'or',
  'not',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'toLocaleString',
  'toString',
  'valueOf',
] as const;
export type ReservedField = (typeof RESERVED_FIELDS)[number] | `$${string}` | `__${string}__`;

/** A letter or `_`, then letters, digits and `_`: what the filter language can name. */
export function isIdentifier(name: unknown): name is string {
  return typeof name === 'string' && name.length <= MAX_NAME_LENGTH && /^[A-Za-z_]\w*$/.test(name);
}

export function isReservedCollection(name: string): boolean {
  return name.startsWith('_') || (RESERVED_COLLECTIONS as readonly string[]).includes(name);
}

/** The words that no object has by itself. */
const RESERVED_WORDS: readonly string[] = ['and', 'or', 'not', 'prototype'];

/** Those of RESERVED_FIELDS, and `__x__`. A page does not carry the whole list. */
export function isReservedField(name: string): boolean {
  return RESERVED_WORDS.includes(name) || name in {} || /^__.*__$/.test(name);
}
