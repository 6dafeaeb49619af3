import { type LogRecord, MemoryObjectStore, type Timestamp } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestServer } from '../replication/testing/test-server.ts';
import { testKernel } from '../testing/memory-ports.ts';
import { anyLog } from '../testing/record-arbitraries.ts';
import { rowsOfView, TEST_CHANNEL, testDefinition } from '../testing/test-channel.ts';
import { openReplica } from './open-replica.ts';
import { SegmentPool } from './segment-pool.ts';

/** Stamps of 1 to 30 as stamps before and after the newest one, so that older and newer ops meet all the time. */
function append(server: TestServer, records: readonly LogRecord[]): void {
  for (const record of records) {
    const around = (stamp: Timestamp): Timestamp => Math.max(1, server.maxHlc - 20 + stamp) as Timestamp;
    if (record.type === 'op') server.appendOp(record.op, around(record.hlc), record.clientId);
    else if (record.type === 'gc') server.append({ ...record, floor: around(record.floor) });
  }
}

describe('a replica that leaves segments out', () => {
  it('shows nothing that the whole log would show otherwise, whatever the stamps, and what was put since with a newer stamp than all', async () => {
    let shown = 0;
    let hidden = 0;
    await fc.assert(
      fc.asyncProperty(anyLog, anyLog, async (before, since) => {
        const server = await TestServer.open();
        append(server, before);
        const objects = new MemoryObjectStore();
        const source = await server.manifest(objects);
        fc.pre(source !== 'empty');
        const kernel = await testKernel();
        const { manifest } = source as Exclude<typeof source, 'empty'>;
        const leftOut = manifest.segments.map(({ id }) => id);
        const options = { channel: TEST_CHANNEL, logEpoch: null, definition: testDefinition, kernel };
        const replica = await openReplica({ ...options, objects, pool: new SegmentPool(objects, kernel), manifest, leftOut });
        append(server, since);
        const settled = new Set<unknown>();
        let newest: number = manifest.maxHlc;
        for (const record of server.log.slice(manifest.upTo)) {
          if (record.type !== 'op') continue;
          // A batch may hold several ops on one key: which of them counts is another rule's.
          if (record.op.type === 'put' && record.hlc > newest) settled.add(record.op.pk);
          newest = Math.max(newest, record.hlc);
        }
        for (const frame of server.framesFrom(manifest.upTo, server.position, 3)) replica.applyFrame(frame);
        const view = replica.view();
        const expected = server.naive(server.position).rows();
        const rows = rowsOfView(view);
        for (const [key, row] of rows) expect([key, [...row].sort()]).toEqual([key, [...(expected.get(key) ?? [])].sort()]);
        for (const key of settled) expect(rows.has(key as string)).toBe(expected.has(key as string));
        shown += rows.size;
        hidden += expected.size - rows.size;
        expect(replica.divergences).toBe(0);
        expect(view.missingRows > 0).toBe(manifest.segments.some(({ dead, rows: all }) => dead === null && all > 0));
        view.release();
        replica.retire();
        server.close();
      }),
      propertyOptions(150),
    );
    expect(shown).toBeGreaterThan(0);
    expect(hidden).toBeGreaterThan(0);
  });
});
