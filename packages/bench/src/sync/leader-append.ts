/**
 * Ops that the leader of one slot takes per second, durable on LMDB when they are acknowledged: 64 writers, each with a push of a device's usual
 * size, in this process and without sockets, so that the leader is measured and not what carries its messages. Every op is validated, deduped,
 * appended and folded. Also with pushes of one op, which is what people who type make.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, createHlc, defineSchema, f, newClientId } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { openNode, openStorage, type StandaloneNode } from '@terndb/server/testing';
import type { ServerMessage } from '@terndb/sync';
import { median, report, round, tiny } from '../lib/report.ts';

const writers = 64;
const turnMs = tiny ? 200 : 3_000;
const rounds = tiny ? 1 : 3;
/** As the protocol's MAX_PUSH_OPS and MAX_UNANSWERED_OPS. */
const cases = [
  { opsPerPush: 64, unanswered: 256 },
  { opsPerPush: 1, unanswered: 1 },
] as const;
const KEYS = 4_096;
/** What every subscriber is told, and a pusher need not know. */
const TOLD: ReadonlySet<ServerMessage['type']> = new Set(['frame', 'tick', 'altered']);
const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
const definition = defineSchema({ notes: { title: f.text(), n: f.number() } }).definition.collections.notes;

interface Turn {
  readonly ops: number;
  readonly ms: number;
}

/** Writers push until the time is over, then wait for what is unanswered. They subscribe and let frames be: nothing is delivered (no credit). */
async function turn(node: StandaloneNode, channel: string, shape: (typeof cases)[number], seed: number): Promise<Turn> {
  const rng = seededRng(seed);
  const hlc = createHlc({ clock });
  const start = performance.now();
  let ops = 0;
  const writer = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const clientId = newClientId(rng);
      const principal = { session: clientId, clientId, term: 1, subject: clientId, canWrite: true };
      let next = 1;
      let acked = 0;
      const push = (): void => {
        while (next - 1 - acked + shape.opsPerPush <= shape.unanswered && performance.now() - start < turnMs) {
          const records = Array.from({ length: shape.opsPerPush }, (_, index) => {
            const fields = { title: 'a short title', n: next + index };
            const op = { type: 'put', pk: `k${rng.nextUint32() % KEYS}`, fields, create: false } as const;
            return { type: 'op', clientId, seq: next + index, hlc: hlc.next(), author: '', schemaVersion: 1, op } as const;
          });
          next += shape.opsPerPush;
          session.route(principal, { type: 'push', channel, subscription: 1, records });
        }
        if (acked === next - 1) {
          session.close();
          resolve();
        }
      };
      const answer = (message: ServerMessage): void => {
        if (message.type === 'subscribed') push();
        else if (message.type === 'ack') {
          ops += message.seq - acked;
          acked = message.seq;
          push();
        } else if (!TOLD.has(message.type)) reject(new Error(`leader: ${JSON.stringify(message)}`));
      };
      const session = node.openSession(clientId, (message) => setImmediate(answer, message));
      session.route(principal, { type: 'subscribe', channel, subscription: 1, credit: 0, formers: [] });
    });
  await Promise.all(Array.from({ length: writers }, writer));
  return { ops, ms: performance.now() - start };
}

export async function leaderAppend(): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), 'terndb-bench-leader-'));
  const storage = await openStorage({ data });
  const node = await openNode({ ports: storage.ports, slots: 1 });
  try {
    const { partitions } = await node.catalog.createCollection('default', 'notes', definition);
    const [channel] = partitions.get('_default')!;
    let seed = 1;
    for (const shape of cases) {
      const turns: Turn[] = [];
      for (let round = 0; round < rounds; round++) turns.push(await turn(node, channel!, shape, seed++));
      const { sealedPosition, position } = node.inspect().channels[0]!;
      report('sync.leader-append', {
        writers,
        ...shape,
        rounds,
        turnMs,
        ops: turns.reduce((sum, { ops }) => sum + ops, 0),
        opsPerSecond: Math.round(median(turns.map(({ ops, ms }) => (ops * 1000) / ms))),
        best: Math.round(Math.max(...turns.map(({ ops, ms }) => (ops * 1000) / ms))),
        seconds: round(turns.reduce((sum, { ms }) => sum + ms, 0) / 1000),
        position,
        sealedPosition,
      });
    }
  } finally {
    await node.close();
    await storage.close();
    await rm(data, { recursive: true, force: true });
  }
}
