import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { defineSchema, f } from '@terndb/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DoorServer, startMemoryServer } from '../testing/test-server.ts';

type Server = Awaited<ReturnType<typeof startMemoryServer>>;
const definition = defineSchema({ notes: { title: f.text() } }).definition.collections.notes;
const read = { partitions: { 'team:*': 'read' } } as const;

let server: Server;
const open: AbortController[] = [];
beforeEach(async () => {
  server = await startMemoryServer();
  await server.real.catalog.createCollection('default', 'notes', definition);
  for (const partition of ['team:a', 'private']) await server.real.catalog.createPartition('default', 'notes', partition);
});
afterEach(async () => {
  for (const controller of open.splice(0)) controller.abort();
  await server.close();
});

const write = (title: string): Promise<unknown> =>
  server.real.write({
    database: 'default',
    type: 'put',
    collection: 'notes',
    partition: 'team:a',
    entities: [{ id: title, title }],
  });

interface Lines {
  readonly response: Response;
  next(): Promise<Record<string, unknown> | undefined>;
}

async function get(doors: DoorServer, token: string | undefined, query: Record<string, string>): Promise<Lines> {
  const gone = new AbortController();
  open.push(gone);
  const response = await fetch(`${doors.url}/changes?${new URLSearchParams(query)}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal: gone.signal,
  });
  const input = Readable.fromWeb(response.body! as Parameters<typeof Readable.fromWeb>[0]);
  input.on('error', () => {});
  const lines = createInterface({ input })[Symbol.asyncIterator]();
  return {
    response,
    next: async () => {
      const { value, done } = await lines.next();
      return done === true ? undefined : (JSON.parse(value) as Record<string, unknown>);
    },
  };
}

const place = { collection: 'notes', partition: 'team:a' };

describe('GET /changes', () => {
  it('streams a partition as lines of JSON, and goes on behind a token', async () => {
    const token = await server.token(read);
    await write('one');
    const lines = await get(server, token, place);
    expect(lines.response.status).toBe(200);
    expect(lines.response.headers.get('content-type')).toContain('ndjson');
    expect(await lines.next()).toEqual({ type: 'reset', reason: 'start' });
    expect(await lines.next()).toEqual({ type: 'insert', key: 'one', entity: { id: 'one', title: 'one' } });
    const position = (await lines.next())!;
    expect(position['type']).toBe('position');
    await write('two');
    expect(await lines.next()).toMatchObject({ type: 'insert', key: 'two' });
    const again = await get(server, token, { ...place, from: position['token'] as string, select: 'id' });
    expect(await again.next()).toEqual({ type: 'insert', key: 'two', entity: { id: 'two' } });
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/terndb_change_readers 2/);
  });

  it('is for those who may read the partition, and ends with their token', async () => {
    const status = async (token: string | undefined, query: Record<string, string> = place): Promise<[number, unknown]> => {
      const lines = await get(server, token, query);
      return [lines.response.status, (await lines.next())?.['code']];
    };
    expect(await status(undefined)).toEqual([401, 'AUTH_REQUIRED']);
    const token = await server.token(read);
    expect(await status(token, { ...place, partition: 'private' })).toEqual([403, 'FORBIDDEN']);
    expect(await status(token, { ...place, partition: 'team:none' })).toEqual([404, 'PARTITION_UNKNOWN']);
    expect(await status(token, { ...place, from: 'no token' })).toEqual([400, 'TOKEN_INVALID']);
    expect((await status(token, { collection: 'notes' }))[0]).toBe(400);
    const short = await get(server, await server.token(read, { lifetimeMs: 1_000 }), place);
    let last: Record<string, unknown> | undefined;
    let writes = 0;
    const writing = setInterval(() => void write(`late ${writes++}`), 100);
    for (let line = await short.next(); line !== undefined; line = await short.next()) last = line;
    clearInterval(writing);
    expect(last).toMatchObject({ type: 'end', code: 'AUTH_REQUIRED' });
  });

  it('ends when the server is about to go, and says that it should be asked again', async () => {
    const lines = await get(server, await server.token(read), place);
    await lines.next();
    await lines.next();
    await server.app.drain(0);
    expect(await lines.next()).toMatchObject({ type: 'end', code: 'STORAGE_UNAVAILABLE' });
    expect(await lines.next()).toBeUndefined();
  });
});
