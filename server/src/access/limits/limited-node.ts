import { type Clock, DbError, encodedOpBytes, keyFieldOf, normalizeKey, type Op } from '@terndb/core';
import { DEFAULT_PARTITION, type WriteRequest } from '@terndb/engine';
import type { ChannelRequest, Principal, ServerMessage } from '@terndb/sync';
import type { NodeRequest, NodeSession, ServerNode, TracedPush } from '../../node/types.ts';
import { withMethods } from '../../node/with-methods.ts';
import type { Admission } from './admission.ts';

/** A device that is told to wait comes back after so long at the earliest, so that waiting costs less than serving; at the latest … */
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 30_000;

/** The node behind every door: what is written has room, pushes of devices keep to the rates, and so do the catalogs that they change. */
export function limitedNode(node: ServerNode, admission: Admission, clock: Pick<Clock, 'monotonicMs'>): ServerNode {
  return withMethods(node, {
    write: async (request) => {
      // What frees room is never refused.
      if (request.type === 'put' || request.type === 'patch') {
        const rows = (): number => (request.type === 'put' ? newRows(node, request) : 0);
        admission.checkRoom(request.database, request.collection, () => ({ rows: rows(), bytes: 0 }));
      }
      return node.write(request);
    },
    openSession: (session, send) => new LimitedSession(node.openSession(session, send), { node, admission, clock, send }),
    resolve: async (request, grants) => {
      const { database = 'default' } = grants;
      const isNew = request.collections.some(({ name, definition }) => definition && !node.catalog.find(database, name));
      if (isNew && grants.schema) admission.take({ kind: 'ddl', database, cost: () => 1 });
      return node.resolve(request, grants);
    },
  });
}

/** Rows that a put adds: those whose keys are not there. What is wrong with it the node will say. */
function newRows(
  node: ServerNode,
  { database, collection, partition = DEFAULT_PARTITION, entities }: NodeRequest<Extract<WriteRequest, { type: 'put' }>>,
): number {
  if (!Array.isArray(entities)) return 0;
  const info = node.catalog.find(database, collection);
  const [channel] = info?.partitions.get(partition) ?? [];
  if (info === undefined || channel === undefined) return entities.length;
  const { name } = keyFieldOf(info.definition);
  try {
    const keys = entities.flatMap((entity) => {
      const key = (entity as Readonly<Record<string, unknown>>)[name];
      return key === undefined ? [] : [normalizeKey(info.definition, collection, key)];
    });
    return entities.length - keys.length + node.absentKeys(channel, keys);
  } catch {
    return entities.length;
  }
}

/** For a door whose requests are one read each. */
export function withReadRates(node: ServerNode, admission: Admission): ServerNode {
  const read =
    <Q extends { readonly database: string; readonly collection: string }, R>(kind: 'search' | 'query', run: (request: Q) => Promise<R>) =>
    async (request: Q): Promise<R> => {
      const { database, collection } = request;
      admission.take({ kind, database, collection, cost: () => 1 });
      return run(request);
    };
  return withMethods(node, {
    get: read('query', (request) => node.get(request)),
    query: read('query', (request) => node.query(request)),
    count: read('query', (request) => node.count(request)),
    aggregate: read('query', (request) => node.aggregate(request)),
    search: read('search', (request) => node.search(request)),
  });
}

interface SessionParts {
  readonly node: ServerNode;
  readonly admission: Admission;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly send: (message: ServerMessage) => void;
}

/**
 * Pushes beyond a rate are answered `busy`, those over a quota `denied`: nothing of them is appended, and the device keeps them (R3). Pushes that
 * were on their way behind a busy one are busy, too: the leader would miss what is before them.
 */
class LimitedSession implements NodeSession {
  readonly #session: NodeSession;
  readonly #parts: SessionParts;
  /** Channel → until when. */
  #busyUntilMs: Map<string, number> | undefined;

  constructor(session: NodeSession, parts: SessionParts) {
    this.#session = session;
    this.#parts = parts;
  }

  route(principal: Principal, message: ChannelRequest, traced?: TracedPush): void {
    if (message.type !== 'push' || !principal.canWrite || this.#mayPush(message)) this.#session.route(principal, message, traced);
  }

  close(): void {
    this.#session.close();
  }

  #mayPush({ channel, subscription, records }: Extract<ChannelRequest, { type: 'push' }>): boolean {
    const { node, admission, clock, send } = this.#parts;
    const place = node.catalog.placeOf(channel);
    if (place === undefined) return true;
    const nowMs = clock.monotonicMs();
    const busy = (leftMs: number): void => send({ type: 'busy', channel, subscription, retryMs: Math.ceil(leftMs) });
    const busyUntilMs = this.#busyUntilMs?.get(channel) ?? nowMs;
    if (busyUntilMs > nowMs) {
      busy(busyUntilMs - nowMs);
      return false;
    }
    try {
      const ops = records.flatMap(({ op }) => (op.type === 'batch' ? op.ops : [op]));
      const bytes = (): number => bytesOf(records.map(({ op }) => op));
      const { database, collection } = place;
      admission.take({ kind: 'insert', database, collection, cost: bytes });
      if (ops.some(({ type }) => type !== 'delete')) {
        const rows = (): number =>
          node.absentKeys(
            channel,
            ops.flatMap((op) => (op.type === 'put' ? [op.pk] : [])),
          );
        admission.checkRoom(database, collection, () => ({ rows: rows(), bytes: bytes() }));
      }
      return true;
    } catch (thrown) {
      const { code, details } = DbError.from(thrown);
      if (code === 'QUOTA_EXCEEDED') {
        send({ type: 'denied', channel, subscription, access: 'quota' });
        return false;
      }
      if (code !== 'RATE_LIMITED') throw thrown;
      const waitMs = Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, Number(details['retryAfterMs'])));
      this.#busyUntilMs ??= new Map();
      this.#busyUntilMs.set(channel, nowMs + waitMs);
      busy(waitMs);
      return false;
    }
  }
}

function bytesOf(ops: readonly Op[]): number {
  return ops.reduce((sum, op) => sum + encodedOpBytes(op), 0);
}
