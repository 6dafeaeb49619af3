import { defineSchema, f } from '@terndb/core';
import { ManualClock } from '@terndb/core/testing';
import { encodeToken } from '@terndb/engine';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NodePorts, openNode } from '../open-node.ts';
import type { StandaloneNode } from '../standalone-node.ts';
import { HeldLog } from '../testing/faulty-log.ts';
import { memoryNodePorts } from '../testing/node-ports.ts';

const { definition } = defineSchema({ notes: { title: f.text() } });
const database = 'default';
const collection = 'notes';
const put = (id: string) => ({ type: 'put', database, collection, entities: [{ id, title: id }] }) as const;

let clock: ManualClock;
let log: HeldLog;
let ports: NodePorts;
let node: StandaloneNode;
beforeEach(async () => {
  clock = new ManualClock();
  const memory = await memoryNodePorts({ clock });
  log = new HeldLog(memory.log);
  ports = { ...memory, log };
  node = await openNode({ ports, slots: 1 });
  await node.catalog.createCollection(database, collection, definition.collections.notes);
});
afterEach(async () => {
  log.release();
  await node.close();
});

const count = (consistency: unknown, timeoutMs?: number) =>
  node.count({ database, collection, consistency, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
const sequence = (): number => node.inspect().slots[0]!.lastSequence;
/** Lets everything that does not wait for the log or the clock happen. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('strong', () => {
  it('appends a tick for the read, which all who wait share, and sees what was being written before it', async () => {
    log.hold();
    const written = node.write(put('a'));
    const before = sequence();
    const reads = [count('strong'), count('strong'), count('session')];
    log.release();
    for (const { count: rows, stalenessMs } of await Promise.all(reads)) {
      expect(rows).toBe(1);
      expect(stalenessMs).toBe(0);
    }
    await written;
    // The write's frame, and one tick.
    expect(sequence()).toBe(before + 2);
  });

  it('refuses with TIMEOUT rather than answer from less', async () => {
    await node.write(put('a'));
    log.hold();
    const read = count('strong', 100);
    const refused = expect(read).rejects.toMatchObject({ code: 'TIMEOUT' });
    await settle();
    clock.advance(100);
    await refused;
  });

  it('refuses with CONSISTENCY_UNAVAILABLE when another leader has taken over', async () => {
    const stopped: string[] = [];
    await node.close();
    node = await openNode({ ports, slots: 1, onStopped: (error) => stopped.push(error.code) });
    const other = await openNode({ ports, slots: 1 });
    await expect(count('strong')).rejects.toMatchObject({ code: 'CONSISTENCY_UNAVAILABLE' });
    expect(stopped).toEqual(['APPEND_CONFLICT']);
    await expect(node.write(put('b'))).rejects.toMatchObject({ code: 'APPEND_CONFLICT' });
    expect((await count('eventually')).count).toBe(0);
    await other.write(put('c'));
    expect(await other.count({ database, collection, consistency: 'strong' })).toMatchObject({ count: 1 });
    await other.close();
  });
});

describe('bounded', () => {
  /** Time in which nothing happens: timers do not notice. */
  const pass = (ms: number): void => clock.jumpTo(clock.nowMs() + ms);

  it('answers at once while the last tick is young enough, and asks for one when it is not', async () => {
    await node.write(put('a'));
    await count('strong');
    const before = sequence();
    pass(3_000);
    expect(await count('bounded')).toMatchObject({ count: 1, stalenessMs: 3_000 });
    expect(await count({ maxStalenessMs: 4_000 })).toMatchObject({ stalenessMs: 3_000 });
    expect(sequence()).toBe(before);
    pass(3_000);
    expect(await count(undefined)).toMatchObject({ count: 1, stalenessMs: 0 });
    expect(sequence()).toBe(before + 1);
  });

  it('has ticks go on for a while, so that the next one waits for nothing, and then no more', async () => {
    await count('bounded');
    const before = sequence();
    for (let second = 0; second < 5; second++) {
      clock.advance(1_000);
      await settle();
    }
    expect(sequence()).toBe(before + 5);
    log.hold();
    expect(await count('bounded')).toMatchObject({ stalenessMs: 0 });
    log.release();
    for (let second = 0; second < 12; second++) {
      clock.advance(1_000);
      await settle();
    }
    const after = sequence();
    clock.advance(5_000);
    await settle();
    expect(sequence()).toBe(after);
  });
});

describe('eventually', () => {
  it('waits for nothing', async () => {
    log.hold();
    const written = node.write(put('a'));
    expect(await count('eventually', 0)).toMatchObject({ count: 0 });
    log.release();
    await written;
  });
});

describe('atLeast', () => {
  it('waits until the positions of the token are folded', async () => {
    const { token } = await count('eventually');
    const [channel] = node.catalog.find(database, collection)!.partitions.get('_default')!;
    const next = encodeToken({ logEpoch: node.logEpoch, positions: new Map([[channel!, 1]]) });
    expect(await count({ atLeast: token })).toMatchObject({ count: 0, degraded: null });
    const read = count({ atLeast: next });
    const indexed = node.waitIndexed(next, 1_000);
    await settle();
    const written = await node.write(put('a'));
    expect(written.token).toBe(next);
    expect(await read).toMatchObject({ count: 1, degraded: null });
    await indexed;
  });

  it('says that it is behind when its budget is spent, and `waitIndexed` refuses', async () => {
    const [channel] = node.catalog.find(database, collection)!.partitions.get('_default')!;
    const token = encodeToken({ logEpoch: node.logEpoch, positions: new Map([[channel!, 1]]) });
    const read = count({ atLeast: token }, 100);
    const indexed = expect(node.waitIndexed(token, 100)).rejects.toMatchObject({ code: 'TIMEOUT' });
    await settle();
    clock.advance(100);
    expect(await read).toMatchObject({ count: 0, degraded: 'behind-token' });
    await indexed;
  });

  it('never reaches the token of another universe', async () => {
    const token = encodeToken({ logEpoch: 'another', positions: new Map() });
    expect(await count({ atLeast: token })).toMatchObject({ degraded: 'behind-token' });
    await expect(node.waitIndexed(token, 100)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });
});

describe('a read', () => {
  it('that is given up ends with ABORTED', async () => {
    log.hold();
    const caller = new AbortController();
    const read = node.count({ database, collection, consistency: 'strong', signal: caller.signal });
    const aborted = expect(read).rejects.toMatchObject({ code: 'ABORTED' });
    await settle();
    caller.abort();
    await aborted;
  });

  it('refuses words it does not know', async () => {
    await expect(count('soon')).rejects.toMatchObject({ code: 'QUERY_INVALID', details: { option: 'consistency' } });
    await expect(count({ atLeast: 'x' })).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    await expect(count('strong', -1)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(node.count({ database, collection, scope: 'local' })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
    await expect(node.count({ database, collection: 'nothing' })).rejects.toMatchObject({ code: 'COLLECTION_UNKNOWN' });
    await expect(node.count({ database: 'nowhere', collection })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});
