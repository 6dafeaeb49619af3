import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { defineSchema, f, type Op, type Timestamp, timestampFromMs } from '@terndb/core';
import { decodeBootstrapReference } from '@terndb/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DoorServer, startMemoryServer, type TestSocket } from '../access/testing/test-server.ts';
import type { ServerNode } from '../node/types.ts';
import { Collector, type Received } from './testing/collector.ts';

const { notes } = defineSchema({ notes: { title: f.text() } }).definition.collections;
const WRITE = { partitions: { '*': 'write' } } as const;
const CALLER = { trace: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7' };
const place = { database: 'default', collection: 'notes', partition: '_default' };

let collector: Collector;
let server: (DoorServer & { readonly real: ServerNode }) | undefined;
let channel: string;
beforeEach(async () => {
  collector = await Collector.open();
});
afterEach(async () => {
  await server?.close();
  await collector.close();
});

async function start(sampleRatio: number): Promise<void> {
  server = await startMemoryServer({ traces: { endpoint: collector.url, sampleRatio } });
  channel = (await server.real.catalog.createCollection('default', 'notes', notes)).partitions.get('_default')![0]!;
}

/** Everything has been sent. */
async function end(): Promise<void> {
  await server!.close();
  server = undefined;
}

async function device(): Promise<TestSocket> {
  const socket = await server!.socket();
  socket.hello(await server!.token(WRITE));
  await socket.next('welcome');
  socket.subscribe(channel);
  await socket.next('subscribed');
  return socket;
}

function push(socket: TestSocket, seq: number, op: Op): void {
  const hlc: Timestamp = timestampFromMs(Date.now() - 1_000 + seq);
  const record = { type: 'op', clientId: 'client-1', seq, hlc, author: '', schemaVersion: 1, op } as const;
  socket.send({ type: 'push', channel, subscription: 1, records: [record] });
}
const put = (pk: string): Op => ({ type: 'put', pk, fields: { title: 'brillig' }, create: false });
const write = (id: string): Promise<unknown> => server!.real.write({ type: 'put', ...place, entities: [{ id, title: 'slithy toves' }] });

async function heard(socket: TestSocket, what: string, count: number): Promise<void> {
  for (let tries = 0; socket.received.filter(({ type }) => type === what).length < count; tries++) {
    if (tries > 2_000) throw new Error(`${count} × ${what} expected, got ${socket.received.map(({ type }) => type).join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const attributesOf = ({ attributes }: Received): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
const named = (name: string): readonly Received[] => collector.spans.filter((span) => span.name === name);

describe('traces of a push', () => {
  it('go from its arrival over the append of its leader to its answer', async () => {
    await start(1);
    const socket = await device();
    push(socket, 1, put('a'));
    await socket.next('ack');
    await end();
    expect(collector.paths()).toContain('push > leader append > log append');
    const [span] = named('push');
    expect(attributesOf(span!)).toEqual({ type: 'push', ...place, ops: 1, answer: 'ack', rejected: 0 });
    expect(collector.attributes('leader append')).toMatchObject({ ops: 1 });
    expect(Object.keys(collector.attributes('log append')).sort()).toEqual(['bytes', 'entries', 'slot']);
  });

  it('are one each, in one append or in several, and end with the answer that each got', async () => {
    await start(1);
    const socket = await device();
    for (let seq = 1; seq <= 20; seq++) push(socket, seq, put(`k${seq}`));
    await heard(socket, 'ack', 20);
    push(socket, 30, put('beyond a gap'));
    await socket.next('gap');
    push(socket, 21, { type: 'patch', pk: 'nobody', fields: { title: 'x' } });
    await heard(socket, 'ack', 21);
    await end();
    const answers = named('push').map((span) => [attributesOf(span)['answer'], attributesOf(span)['rejected']]);
    expect(answers).toEqual([...Array.from({ length: 20 }, () => ['ack', 0]), ['gap', undefined], ['ack', 1]]);
    expect(new Set(named('push').map(({ traceId }) => traceId)).size).toBe(22);
    // What the gap held up was in no append.
    expect(named('log append')).toHaveLength(21);
  });

  it('that a quota refuses say so, and reach no leader', async () => {
    await start(1);
    await server!.real.catalog.alterCollection('default', 'notes', { properties: { 'collection.rows.max': '1' } });
    const socket = await device();
    push(socket, 1, put('a'));
    await socket.next('ack');
    push(socket, 2, put('b'));
    await socket.next('denied');
    await end();
    expect(named('push').map((span) => attributesOf(span)['answer'])).toEqual(['ack', 'denied']);
    expect(named('leader append')).toHaveLength(1);
  });

  it('that nobody answered end with their socket', async () => {
    await start(1);
    const socket = await device();
    await server!.real.catalog.dropCollection('default', 'notes');
    push(socket, 1, put('a'));
    await heard(socket, 'gone', 1);
    await end();
    expect(named('push').map((span) => attributesOf(span)['answer'])).toEqual(['gone']);
  });

  it('are made for the share that is sampled, and hold nothing that was pushed', async () => {
    await start(0);
    const socket = await device();
    push(socket, 1, put('a'));
    await socket.next('ack');
    await end();
    expect(collector.spans).toEqual([]);
    await start(1);
    const other = await device();
    push(other, 1, put('mimsy'));
    await other.next('ack');
    await end();
    const text = collector.bodies.join('');
    expect(named('push')).toHaveLength(1);
    for (const secret of ['brillig', 'mimsy', 'client-1', channel]) expect(text).not.toContain(secret);
  });
});

describe('traces of the change feed', () => {
  async function follow(headers: Record<string, string> = {}): Promise<{ next(type: string): Promise<void>; end(): void }> {
    const gone = new AbortController();
    const response = await fetch(`${server!.url}/changes?collection=notes&partition=_default`, {
      headers: { authorization: `Bearer ${await server!.token(WRITE)}`, ...headers },
      signal: gone.signal,
    });
    const input = Readable.fromWeb(response.body! as Parameters<typeof Readable.fromWeb>[0]);
    input.on('error', () => {});
    const lines = createInterface({ input })[Symbol.asyncIterator]();
    return {
      next: async (type) => {
        while ((JSON.parse((await lines.next()).value!) as { readonly type: string }).type !== type);
      },
      end: () => gone.abort(),
    };
  }

  it('are the request, until its reader has caught up, and one for each fold that follows', async () => {
    await start(1);
    await write('one');
    const feed = await follow();
    await feed.next('position');
    for (const id of ['two', 'three']) {
      await write(id);
      await feed.next('insert');
      await feed.next('position');
    }
    feed.end();
    await end();
    expect(collector.paths()).toEqual(expect.arrayContaining(['GET /changes > fold', 'fold > log read']));
    const folds = named('fold');
    expect(folds).toHaveLength(3);
    expect(folds.map((span) => attributesOf(span))).toEqual(Array.from({ length: 3 }, () => ({ type: 'changes', ...place, changes: 1 })));
    expect(new Set(folds.map(({ traceId }) => traceId)).size).toBe(3);
    expect(collector.attributes('log read')).toEqual({ from: 2, upTo: 2, keys: 1 });
    const [request] = named('GET /changes');
    expect(attributesOf(request!)).toMatchObject({ 'http.route': '/changes', 'http.response.status_code': 200 });
    for (const secret of ['slithy', 'three', 'Bearer']) expect(collector.bodies.join('')).not.toContain(secret);
  });

  it('are its request only where the caller samples and the server does not', async () => {
    await start(0);
    const feed = await follow({ traceparent: `00-${CALLER.trace}-${CALLER.span}-01` });
    await feed.next('position');
    await write('two');
    await feed.next('insert');
    feed.end();
    await end();
    expect(collector.paths()).toEqual(['GET /changes', 'GET /changes > fold']);
    expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([CALLER.trace]));
  });
});

describe('traces of a download', () => {
  it('show the ticket, the range and each read of the store, and neither name nor ticket', async () => {
    await start(1);
    await write('one');
    await server!.real.flush('default');
    const socket = await device();
    const { manifest } = await socket.next('subscribed');
    const reference = decodeBootstrapReference(manifest!.reference);
    const [object] = reference.objects;
    const get = async (url: string, headers: Record<string, string> = {}): Promise<number> => {
      const response = await fetch(`${server!.url}/sync/${url}`, { headers });
      await response.arrayBuffer();
      return response.status;
    };
    expect(await get(reference.manifest.url)).toBe(200);
    expect(await get(object!.url, { range: 'bytes=64-127' })).toBe(206);
    expect(await get(`v1/objects/${object!.name}?ticket=forged`)).toBe(403);
    await end();
    const route = 'GET /sync/v1/objects/*';
    expect(collector.paths()).toEqual(
      expect.arrayContaining([
        `${route} > ticket`,
        `${route} > object head`,
        `${route} > object read`,
        'GET /sync/v1/manifests/* > manifest read',
      ]),
    );
    expect(collector.attributes('object read')).toEqual({ offset: 64, length: 64 });
    expect(collector.attributes(route)).toMatchObject({ 'http.response.status_code': 206, offset: 64, length: 64 });
    expect(named('ticket').map(({ status }) => status.message ?? 'ok')).toEqual(['ok', 'ok', 'FORBIDDEN']);
    const text = collector.bodies.join('');
    for (const secret of ['ticket=', 'forged', object!.name, channel]) expect(text).not.toContain(secret);
  });
});
