import type { Op } from '@terndb/core';

/** Keys that the ops of one client go round: later ones replace earlier ones. */
export const CRASH_KEYS = 40;
export const CRASH_CLIENTS = ['client-a', 'client-b', 'client-c'] as const;
/** Every so many ops one deletes its key. */
const DELETE_EVERY = 7;

export const isDelete = (seq: number): boolean => seq % DELETE_EVERY === 0;
export const keyOf = (clientId: string, seq: number): string => `${clientId}/${seq % CRASH_KEYS}`;

/** The op with this number says which one it is. */
export function crashOp(clientId: string, seq: number): Op {
  const pk = keyOf(clientId, seq);
  if (isDelete(seq)) return { type: 'delete', pk };
  return { type: 'put', pk, create: false, fields: { title: `${clientId} ${seq}`, place: Float32Array.of(seq, 1, 2, 3) } };
}

/** What is there after the first `lmid` ops of a client, by key. */
export function expectedRows(clientId: string, lmid: number): Map<string, string> {
  const rows = new Map<string, string>();
  for (let seq = Math.max(1, lmid - CRASH_KEYS + 1); seq <= lmid; seq++)
    if (!isDelete(seq)) rows.set(keyOf(clientId, seq), `${clientId} ${seq}`);
  return rows;
}
