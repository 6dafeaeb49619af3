import { DbError, describe, type JsonValue } from '@terndb/core';
import { decodeJsonValue } from '@terndb/sync';
import type { ServerNode } from '../../node/types.ts';
import { type AccessPrincipal, canRead, holdsSome } from '../auth/principal.ts';

/** A read as it came from outside, checked as far as the engine does not. */
export interface ReadBody {
  readonly database: string;
  readonly collection: string;
  /** Undefined: all there are. */
  readonly partitions?: readonly string[];
  readonly timeoutMs: number;
  readonly rest: Readonly<Record<string, unknown>>;
}

const DEFAULT_DATABASE = 'default';
/** As design 7: the budget to reach the guarantee position. */
const DEFAULT_TIMEOUT_MS = 15_000;
const MAX_TIMEOUT_MS = 60_000;

/** QUERY_INVALID; FORBIDDEN for what the token does not grant. A read that names no partition reads all that are granted. */
export function readBody(node: ServerNode, principal: AccessPrincipal, body: unknown, options: readonly string[]): ReadBody {
  const values = decodeJsonValue(body as JsonValue);
  if (typeof values !== 'object' || values === null || Array.isArray(values)) throw invalid('request', 'an object', values);
  const {
    database = principal.database ?? DEFAULT_DATABASE,
    collection,
    partitions,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    ...rest
  } = values as Record<string, unknown>;
  if (typeof database !== 'string') throw invalid('database', 'a name', database);
  if (typeof collection !== 'string') throw invalid('collection', 'a name', collection);
  if (partitions !== undefined && !(Array.isArray(partitions) && partitions.every((name) => typeof name === 'string'))) {
    throw invalid('partitions', 'a list of names', partitions);
  }
  const unknown = Object.keys(rest).find((name) => !options.includes(name));
  if (unknown !== undefined) throw invalid(unknown.slice(0, 40), `one of ${options.join(', ')}`, unknown);
  const granted = grantedPartitions(node, principal, { database, collection, partitions: partitions as readonly string[] | undefined });
  return { database, collection, timeoutMs: waitBudget(timeoutMs), rest, ...(granted === undefined ? {} : { partitions: granted }) };
}

export function waitBudget(timeoutMs: unknown): number {
  if (Number.isInteger(timeoutMs) && (timeoutMs as number) >= 0 && (timeoutMs as number) <= MAX_TIMEOUT_MS) return timeoutMs as number;
  throw invalid('timeoutMs', `an integer from 0 to ${MAX_TIMEOUT_MS}`, timeoutMs);
}

interface Place {
  readonly database: string;
  readonly collection: string;
  readonly partitions: readonly string[] | undefined;
}

/** FORBIDDEN, COLLECTION_UNKNOWN. */
function grantedPartitions(
  node: ServerNode,
  principal: AccessPrincipal,
  { database, collection, partitions }: Place,
): readonly string[] | undefined {
  const info = node.catalog.find(database, collection);
  const isGranted = (partition: string): boolean => canRead(principal, { database, collection: info?.name ?? collection, partition });
  if (partitions !== undefined) {
    const denied = partitions.filter((partition) => !isGranted(partition));
    if (denied.length > 0) throw forbidden(collection, denied);
    return partitions;
  }
  if (info === undefined) {
    if (!holdsSome(principal, 'Query', { database, collection })) throw forbidden(collection, []);
    throw new DbError('COLLECTION_UNKNOWN', `${database}.${collection}: a known collection expected`, {
      details: { database, collection },
    });
  }
  const granted = [...info.partitions.keys()].filter(isGranted);
  if (granted.length === 0) throw forbidden(collection, []);
  return granted.length === info.partitions.size ? undefined : granted;
}

function forbidden(collection: string, partitions: readonly string[]): DbError {
  const what = partitions.length > 0 ? `partitions ${partitions.slice(0, 10).join(', ')}` : 'any partition';
  return new DbError('FORBIDDEN', `${collection}: a token that may read ${what} expected`, {
    details: { collection, partitions: partitions.slice(0, 10) },
  });
}

export function invalid(option: string, expected: string, value: unknown): DbError {
  const got = describe(value);
  return new DbError('QUERY_INVALID', `${option}: ${expected} expected, got ${got}`, { details: { option, expected, got } });
}
