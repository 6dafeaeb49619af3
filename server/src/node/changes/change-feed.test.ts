import { defineSchema, f } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { decodeToken } from '@terndb/engine';
import { afterEach, describe, expect, it } from 'vitest';
import { openNode } from '../open-node.ts';
import type { StandaloneNode } from '../standalone-node.ts';
import { memoryNodePorts } from '../testing/node-ports.ts';
import type { Change, ChangesRequest, FeedEvent } from './types.ts';

const definition = defineSchema({ notes: { title: f.text(), n: f.number().nullable(), place: f.vector(2, { metric: 'L2' }) } }).definition
  .collections.notes;
const place = { database: 'default', collection: 'notes', partition: '_default' };
const at = Float32Array.of(1, 2);

const nodes: StandaloneNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close();
});

async function open(limits: Parameters<typeof openNode>[0]['limits'] = {}): Promise<StandaloneNode> {
  const node = await openNode({ ports: await memoryNodePorts(), slots: 1, limits });
  nodes.push(node);
  await node.catalog.createCollection('default', 'notes', definition);
  return node;
}

type Entity = Record<string, unknown>;
const put = (node: StandaloneNode, ...entities: Entity[]): Promise<{ readonly token: string }> =>
  node.write({ ...place, type: 'put', entities: entities.map((entity) => ({ place: at, ...entity })) });
const patch = (node: StandaloneNode, key: string, fields: Entity): Promise<unknown> => node.write({ ...place, type: 'patch', key, fields });
const remove = (node: StandaloneNode, key: string): Promise<unknown> => node.write({ ...place, type: 'delete', key });

const linesOf = (event: FeedEvent): Change[] =>
  event.type !== 'changes'
    ? []
    : event.lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Change);

/** A copy kept by what the feed says, as docs/change-feed.md says it should be. */
class Copy {
  readonly rows = new Map<string, Entity>();
  readonly said: string[] = [];
  token: string | undefined;
  resets = 0;

  take(event: FeedEvent): void {
    if (event.type === 'position') this.token = event.token;
    if (event.type === 'reset') {
      this.rows.clear();
      this.resets += 1;
    }
    for (const change of linesOf(event)) {
      const key = change.key as string;
      this.said.push(`${change.type} ${key}`);
      if (change.type === 'delete') this.rows.delete(key);
      else if (change.type === 'insert') this.rows.set(key, { ...change.entity });
      else this.rows.set(key, { ...this.rows.get(key)!, ...change.fields });
    }
  }
}

/** Takes from the feed until it has said all that is in the log now. */
async function follow(node: StandaloneNode, copy: Copy, options: Partial<ChangesRequest> = {}): Promise<void> {
  const head = headOf(node);
  for await (const event of node.changes({ ...place, from: copy.token, ...options })) {
    copy.take(event);
    if (event.type === 'position' && positionOf(event.token) >= head) return;
  }
}

const positionOf = (token: string): number => [...decodeToken(token)[0]!.positions.values()][0]!;
const headOf = (node: StandaloneNode): number => node.inspect().channels[0]!.position;

async function expectSame(node: StandaloneNode, copy: Copy): Promise<void> {
  const { entities } = await node.query({
    ...place,
    partitions: ['_default'],
    select: ['title', 'n'],
    limit: 1000,
    consistency: 'strong',
  });
  const rows = [...copy.rows.values()].map(({ id, title, n }) => ({ id, title, n }));
  const byId = (a: Entity, b: Entity): number => (String(a['id']) < String(b['id']) ? -1 : 1);
  expect(rows.sort(byId)).toEqual([...(entities as Entity[])].sort(byId));
}

/** A connected reader, one event at a time. */
class Connected {
  readonly copy: Copy;
  readonly events: AsyncGenerator<FeedEvent, void, void>;

  constructor(node: StandaloneNode, copy: Copy = new Copy()) {
    this.copy = copy;
    this.events = node.changes({ ...place, from: copy.token });
  }

  /** Up to the next position. */
  async fold(): Promise<FeedEvent[]> {
    const events: FeedEvent[] = [];
    for (;;) {
      const { value, done } = await this.events.next();
      if (done === true) throw new Error('the feed has ended');
      events.push(value);
      this.copy.take(value);
      if (value.type === 'position') return events;
    }
  }
}

const changesOf = (events: readonly FeedEvent[]): Change[] => events.flatMap(linesOf);

describe('a connected reader', () => {
  it('is told inserts whole, updates by the fields that have another value, and deletes', async () => {
    const node = await open();
    const reader = new Connected(node);
    expect((await reader.fold()).map(({ type }) => type)).toEqual(['reset', 'position']);
    await put(node, { id: 'a', title: 'one', n: 1 });
    expect(changesOf(await reader.fold())).toEqual([
      { type: 'insert', key: 'a', entity: { id: 'a', title: 'one', n: 1, place: { $float32: 'AACAPwAAAEA=' } } },
    ]);
    await patch(node, 'a', { n: 2 });
    expect(changesOf(await reader.fold())).toEqual([{ type: 'update', key: 'a', fields: { n: 2 } }]);
    await put(node, { id: 'a', title: 'two', n: 2 });
    expect(changesOf(await reader.fold())).toEqual([{ type: 'update', key: 'a', fields: { title: 'two' } }]);
    await remove(node, 'a');
    expect(changesOf(await reader.fold())).toEqual([{ type: 'delete', key: 'a' }]);
    await reader.events.return();
    expect(node.inspect().counters['change_readers']).toBe(0);
  });

  it('is told nothing of a write that changes nothing, and of several writes to one key only what became of it', async () => {
    const node = await open();
    await put(node, { id: 'a', title: 'one', n: 1 });
    const reader = new Connected(node);
    await reader.fold();
    await put(node, { id: 'a', title: 'one', n: 1 });
    expect(changesOf(await reader.fold())).toEqual([]);
    await patch(node, 'a', { n: 2 });
    await put(node, { id: 'b', title: 'short' });
    await patch(node, 'a', { n: 3 });
    await remove(node, 'b');
    expect(changesOf(await reader.fold())).toEqual([{ type: 'update', key: 'a', fields: { n: 3 } }]);
    await reader.events.return();
  });

  it('is told nothing of seals and merges, and goes on over them', async () => {
    const node = await open();
    const reader = new Connected(node);
    await reader.fold();
    await put(node, { id: 'a', title: 'one' }, { id: 'b', title: 'two' });
    await reader.fold();
    await node.flush('default');
    await node.compact('default');
    await patch(node, 'b', { title: 'three' });
    expect(changesOf(await reader.fold())).toEqual([{ type: 'update', key: 'b', fields: { title: 'three' } }]);
    await reader.events.return();
  });

  it('that takes nothing has nothing queued for it: it is told the outcome when it takes again', async () => {
    const node = await open();
    const reader = new Connected(node);
    await reader.fold();
    for (let n = 0; n < 300; n++) await put(node, { id: `k${n % 7}`, title: `title ${n}`, n });
    const events = await reader.fold();
    expect(changesOf(events)).toHaveLength(7);
    await expectSame(node, reader.copy);
    await reader.events.return();
  });

  it('ends when its partition is dropped, when the definition changes, and when it is given up', async () => {
    const node = await open();
    await node.catalog.createPartition('default', 'notes', 'p');
    const dropped = node.changes({ ...place, partition: 'p' });
    await dropped.next();
    await dropped.next();
    const next = expect(dropped.next()).rejects.toMatchObject({ code: 'PARTITION_UNKNOWN' });
    await node.catalog.dropPartition('default', 'notes', 'p');
    await put(node, { id: 'wakes', title: 'everybody' });
    await next;

    const altered = new Connected(node);
    await altered.fold();
    await node.catalog.alterCollection('default', 'notes', {
      definition: {
        fields: [
          ...definition.fields,
          ...defineSchema({ notes: { more: f.text().nullable() } }).definition.collections.notes.fields.filter(
            ({ name }) => name === 'more',
          ),
        ],
      },
    });
    await put(node, { id: 'x', title: 'x' });
    await expect(altered.fold()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    const again = new Connected(node, altered.copy);
    expect(changesOf(await again.fold())).toMatchObject([{ type: 'insert', key: 'x' }]);
    await again.events.return();

    const gone = new AbortController();
    const events = node.changes({ ...place, signal: gone.signal });
    for (let event = await events.next(); event.value?.type !== 'position'; ) event = await events.next();
    const given = expect(events.next()).rejects.toMatchObject({ code: 'ABORTED' });
    gone.abort();
    await given;
    expect(node.inspect().counters['change_readers']).toBe(0);
  });
});

describe('a reader that comes back', () => {
  it('gets each key that was named since its token once, as it is now', async () => {
    const node = await open();
    const copy = new Copy();
    await put(node, { id: 'a', title: 'one', n: 1 }, { id: 'b', title: 'one', n: 1 }, { id: 'c', title: 'one', n: 1 });
    await follow(node, copy);
    copy.said.length = 0;
    await patch(node, 'a', { n: 2 });
    await patch(node, 'a', { n: 3 });
    await remove(node, 'b');
    await put(node, { id: 'd', title: 'new' });
    await follow(node, copy);
    expect(copy.said.sort()).toEqual(['delete b', 'insert d', 'update a']);
    expect(copy.resets).toBe(1);
    await expectSame(node, copy);
  });

  it('begins anew when the log is cut behind its token, when it is too far behind, and under the token of another universe', async () => {
    const node = await open({ retainLogMs: 0, retainEntries: 0, maxFoldedKeys: 10 });
    const copy = new Copy();
    await put(node, { id: 'a', title: 'one' });
    await follow(node, copy);
    for (let n = 0; n < 20; n++) await put(node, { id: `k${n}`, title: 'x' });
    await follow(node, copy);
    expect(copy.resets).toBe(2);
    await put(node, { id: 'late', title: 'x' });
    for (let round = 0; round < 3; round++) {
      await node.flush('default');
      await node.housekeep({ sweep: false });
      await put(node, { id: `after ${round}`, title: 'x' });
    }
    await follow(node, copy);
    expect(copy.resets).toBe(3);
    await expectSame(node, copy);

    const other = await open();
    copy.token = await other.write({ ...place, type: 'put', entities: [{ id: 'z', title: 'z', place: at }] }).then(({ token }) => token);
    await follow(node, copy);
    expect(copy.resets).toBe(4);
    await expectSame(node, copy);
  });

  it('refuses what is no token, no partition and no field before it says anything', async () => {
    const node = await open();
    expect(() => node.changes({ ...place, from: 'x!' })).toThrow(expect.objectContaining({ code: 'TOKEN_INVALID' }));
    expect(() => node.changes({ ...place, partition: 'q' })).toThrow(expect.objectContaining({ code: 'PARTITION_UNKNOWN' }));
    expect(() => node.changes({ ...place, select: ['q'] })).toThrow(expect.objectContaining({ code: 'FIELD_UNKNOWN' }));
  });
});

it('keeps a copy equal to the partition through any writes, seals and reconnections', async () => {
  let told = 0;
  for (let seed = 1; seed <= 8; seed++) {
    const rng = seededRng(seed);
    const node = await open({ sealRows: 40, retainLogMs: 0, retainEntries: 30 });
    let reader: Connected | undefined;
    const copy = new Copy();
    for (let step = 0; step < 120; step++) {
      const id = `k${rng.nextUint32() % 12}`;
      const dice = rng.nextUint32() % 20;
      if (dice < 8) await put(node, { id, title: `t${rng.nextUint32() % 3}`, n: rng.nextUint32() % 3 });
      else if (dice < 12) await patch(node, id, { n: rng.nextUint32() % 3 }).catch(() => {});
      else if (dice < 15) await remove(node, id);
      else if (dice < 16) await node.flush('default');
      else if (dice < 17) await node.housekeep({ sweep: false });
      else if (dice < 18) {
        await reader?.events.return();
        reader = undefined;
      } else {
        reader ??= new Connected(node, copy);
        if (copy.token === undefined || positionOf(copy.token) < headOf(node)) await reader.fold();
      }
    }
    await reader?.events.return();
    await follow(node, copy);
    await expectSame(node, copy);
    told += copy.said.length;
  }
  expect(told).toBeGreaterThan(100);
});
