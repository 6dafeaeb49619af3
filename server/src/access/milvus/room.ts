import type { Clock } from '@terndb/core';
import type { FastifyBaseLogger } from 'fastify';
import type { Finding } from '../../node/health/finding.ts';
import type { Admission } from '../limits/admission.ts';
import { boundedNode } from '../limits/bounded-node.ts';
import { openDeadline } from '../limits/deadline.ts';
import type { MilvusAnswer, MilvusCall, MilvusRequest } from './call.ts';
import { asMilvusError, CODES, givenUp, tooLate } from './errors.ts';
import { checkGuard, type Guard } from './guards.ts';
import { MILVUS_ROUTES } from './handlers.ts';
import { type LaneName, Lanes } from './lanes.ts';
import { askedBy, asLimited, kindOf, REJECTED } from './limited.ts';
import type { MilvusMetrics, Observed } from './metrics.ts';
import type { RowFormat } from './rows.ts';

export interface RoomOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs' | 'after'>;
  readonly metrics: MilvusMetrics;
  /** Requests of one user. */
  readonly perSecond: number;
  /** Slower requests are logged. */
  readonly slowMs: number;
  /** Rates per database and collection. */
  readonly admission?: Admission;
}

/**
 * What every door lets calls into: each waits in its lane, has an end in time, is timed, and is written down where it changes something. Knows nothing of
 * HTTP.
 */
export class MilvusRoom {
  readonly #options: RoomOptions;
  readonly #lanes: Lanes;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#lanes = new Lanes(options.perSecond, options.clock);
  }

  /** Whether all are let in. */
  check(): Finding {
    return this.#lanes.check();
  }

  /** `path` is one of MILVUS_ROUTES. */
  async handle(path: string, request: MilvusRequest, format: RowFormat, log: FastifyBaseLogger): Promise<MilvusAnswer> {
    const { guard, run } = MILVUS_ROUTES.get(path)!;
    const { clock, metrics, slowMs, admission } = this.#options;
    const { subject } = request.principal;
    const startMs = clock.monotonicMs();
    const { timeoutMs, signal: gone } = request;
    const deadline = openDeadline({ clock, timeoutMs, gone, late: tooLate, left: givenUp });
    const call = { ...request, node: boundedNode(request.node, deadline, request.budget), lasting: request.node };
    let code = 0;
    let count = 0;
    let hasBegun = false;
    try {
      const work = (): Promise<MilvusAnswer> => {
        hasBegun = true;
        if (admission !== undefined) this.#admit(admission, path, call);
        return run(call, format);
      };
      // Its place in the lane is free when the work has ended, not when it is answered.
      const answer = await deadline.holds(this.#lanes.run(laneOf(guard), subject, work, deadline.signal));
      count = countOf(path, call, answer);
      return answer;
    } catch (cause) {
      const thrown = asLimited(cause);
      ({ code } = asMilvusError(thrown));
      throw thrown;
    } finally {
      deadline.end();
      const ms = clock.monotonicMs() - startMs;
      const isSlow = ms > slowMs;
      const status = statusOf(code);
      metrics.observe({ name: guard.privilege ?? path, ms, status, count }, isSlow);
      // Names only: never a password, a filter or a row.
      const what = { subject, action: path, database: call.database.slice(0, MAX_NAME), ...namesIn(call) };
      if (isSlow) log.warn({ slow: { ...what, lane: laneOf(guard), ms } }, 'slow request');
      if (guard.isAudited) log.info({ audit: { ...what, outcome: outcomeOf(code, hasBegun), code } }, 'audit');
    }
  }

  /** Who may not do it takes nothing from those who may. */
  #admit(admission: Admission, path: string, call: MilvusCall): void {
    const { guard } = MILVUS_ROUTES.get(path)!;
    const kind = kindOf(path, guard);
    if (kind === undefined) return;
    checkGuard(guard, call);
    let status: 'success' | 'fail' = 'fail';
    try {
      admission.take(askedBy(kind, call));
      status = 'success';
    } finally {
      this.#options.metrics.observeLimit(kind, status);
    }
  }
}

function statusOf(code: number): Observed['status'] {
  if (code === 0) return 'success';
  if (code === CODES.canceled) return 'cancel';
  return REJECTED.includes(code) ? 'rejected' : 'fail';
}

/** Of a change: what was under way when its time was over may be done or not. */
function outcomeOf(code: number, hasBegun: boolean): string {
  if (code === 0) return 'done';
  return hasBegun && (code === CODES.deadline || code === CODES.canceled) ? 'unknown' : 'refused';
}

const WRITES: readonly unknown[] = ['Insert', 'Upsert', 'Delete', 'Flush', 'Import'];

/** What a change has done it says, however long that is. */
export const isRead = (path: string): boolean => laneOf(MILVUS_ROUTES.get(path)!.guard) === 'read';

function laneOf({ privilege, isAudited }: Guard): LaneName {
  if (WRITES.includes(privilege)) return 'write';
  return isAudited ? 'ddl' : 'read';
}

function countOf(path: string, { body }: MilvusCall, { data: answered }: MilvusAnswer): number {
  if (path === 'entities/delete') return (answered as { readonly deleteCount: number }).deleteCount;
  const data = path.startsWith('entities/') ? body.get('data') : undefined;
  return Array.isArray(data) ? data.length : 1;
}

function namesIn({ body }: MilvusCall): Readonly<Record<string, string>> {
  const names: Record<string, string> = {};
  for (const name of NAMES) {
    const value = body.get(name);
    if (typeof value === 'string') names[name] = value.slice(0, MAX_NAME);
    else if (name === 'privileges' && Array.isArray(value)) names[name] = value.join(',').slice(0, MAX_NAME);
  }
  return names;
}
const MAX_NAME = 255;
const NAMES = [
  'collectionName',
  'newCollectionName',
  'newDbName',
  'objectType',
  'objectName',
  'privileges',
  'partitionName',
  'aliasName',
  'indexName',
  'userName',
  'roleName',
  'privilege',
  'privilegeGroupName',
  'fieldName',
] as const;
