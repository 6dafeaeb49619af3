/**
 * A node on a folder with clients in the same process that push without end, for the test that kills it: `node pushing-process.ts FOLDER`.
 * Prints `CLIENT SEQ` after every ack, at once, and seals often, so that it is killed in the middle of that too.
 */
import { writeSync } from 'node:fs';
import { createHlc } from '@terndb/core';
import type { ServerMessage } from '@terndb/sync';
import { systemClock } from '../../adapters/s3/system.ts';
import { CRASH_CLIENTS, crashOp } from './crash-ops.ts';
import { openLmdbNode } from './lmdb-node.ts';

const OPS_PER_PUSH = 8;
/** Pushed and not answered. */
const WINDOW = 64;
const SEAL_ROWS = 150;
const CREDIT = 2 ** 40;
/** What every subscriber is told, and a pusher need not know. */
const TOLD: ReadonlySet<ServerMessage['type']> = new Set(['frame', 'tick', 'altered']);

const limits = { sealRows: SEAL_ROWS, retainLogMs: 50, objectGraceMs: 200, housekeepingMs: 100 };
const { node } = await openLmdbNode(process.argv[2]!, { slots: 1, limits });
const [channel] = node.catalog.find('default', 'notes')!.partitions.get('_default')!;
const hlc = createHlc({ clock: systemClock });

for (const clientId of CRASH_CLIENTS) {
  let next = 0;
  let acked = 0;
  const session = node.openSession(clientId, (message) => setImmediate(answer, message));
  const principal = { session: clientId, clientId, term: 1, subject: clientId, canWrite: true };
  const push = (): void => {
    while (next - acked <= WINDOW) {
      const records = Array.from({ length: OPS_PER_PUSH }, (_, index) => {
        const seq = next + index;
        return { type: 'op', clientId, seq, hlc: hlc.next(), author: '', schemaVersion: 1, op: crashOp(clientId, seq) } as const;
      });
      next += OPS_PER_PUSH;
      session.route(principal, { type: 'push', channel: channel!, subscription: 1, records });
    }
  };
  const answer = (message: ServerMessage): void => {
    if (message.type === 'subscribed') {
      acked = message.known.lmid;
      next = acked + 1;
      push();
    } else if (message.type === 'ack') {
      acked = message.seq;
      writeSync(1, `${clientId} ${acked}\n`);
      push();
    } else if (!TOLD.has(message.type)) {
      writeSync(2, `${clientId}: ${JSON.stringify(message)}\n`);
      process.exit(1);
    }
  };
  session.route(principal, { type: 'subscribe', channel: channel!, subscription: 1, credit: CREDIT, formers: [] });
}
