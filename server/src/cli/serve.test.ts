import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CollectionDefinition, checkCollection, type Op, type OpRecord, schemaHash, timestampFromMs } from '@terndb/core';
import type { GlobalQueryAnswer, GlobalSearchAnswer, ResolveAnswer } from '@terndb/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestSocket } from '../access/testing/test-server.ts';
import { type Served, serveProcess } from './testing/serve-process.ts';

let data: string;
const running: ChildProcess[] = [];
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'terndb-serve-'));
});
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  await rm(data, { recursive: true, force: true });
});

async function serve(...flags: readonly string[]): Promise<Served> {
  const served = await serveProcess(data, flags);
  running.push(served.child);
  return served;
}

const NOTES: CollectionDefinition = checkCollection('notes', {
  fields: [
    { name: 'id', type: 'primaryKey' },
    { name: 'title', type: 'text' },
    { name: 'v', type: 'vector', params: { dim: 2 } },
  ],
});

async function post<T>(url: string, path: string, body: unknown, token: string): Promise<T> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/sync/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${answer}`);
  return JSON.parse(answer) as T;
}

async function issue(url: string): Promise<string> {
  const response = await fetch(`${url}/sync/v1/token`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
  return ((await response.json()) as { token: string }).token;
}

async function resolveNotes(url: string, token: string): Promise<string> {
  const hash = schemaHash(NOTES);
  const collections = [{ name: 'notes', schemaHash: hash, schemaVersion: 1, definition: NOTES }];
  const { channels } = await post<ResolveAnswer>(url, 'resolve', { collections, partitions: ['team'] }, token);
  expect(channels).toMatchObject([{ collection: 'notes', partition: 'team', access: 'write' }]);
  return channels[0]!.channel;
}

const put = (seq: number, nowMs: number): OpRecord => {
  const fields = { title: `note ${seq}`, v: Float32Array.of(seq, 1) };
  const op: Op = { type: 'put', pk: `n${seq}`, fields, create: true };
  return { type: 'op', op, hlc: timestampFromMs(nowMs + seq), clientId: 'device-1', seq, author: 'developer', schemaVersion: 1 };
};

describe('terndb serve', () => {
  it('takes what a device pushes, gives it to another device and to global reads, and still has it after kill -9', async () => {
    const first = await serve('--issue-tokens', 'loopback');
    const token = await issue(first.url);
    const channel = await resolveNotes(first.url, token);
    const writer = await TestSocket.open(first.url);
    const reader = await TestSocket.open(first.url);
    writer.hello(token, { clientId: 'device-1' });
    reader.hello(token, { clientId: 'device-2' });
    const { logEpoch } = await writer.next('welcome');
    await reader.next('welcome');
    for (const socket of [writer, reader]) socket.send({ type: 'subscribe', channel, subscription: 1, credit: 1_000_000, formers: [] });
    await writer.next('subscribed');
    await reader.next('subscribed');
    const now = Date.now();
    writer.send({ type: 'push', channel, subscription: 1, records: [put(1, now), put(2, now), put(3, now)] });
    expect(await writer.next('ack')).toMatchObject({ seq: 3, rejected: [] });
    const { frame } = await reader.next('frame');
    expect(frame.records.length).toBeGreaterThan(0);

    const query = { collection: 'notes', partitions: ['team'], consistency: 'strong', select: ['title'] };
    const rows = await post<GlobalQueryAnswer>(first.url, 'query', query, token);
    expect(rows.keys).toEqual(['n1', 'n2', 'n3']);
    const vector = Buffer.from(Float32Array.of(1, 1).buffer).toString('base64');
    const found = await post<GlobalSearchAnswer>(first.url, 'search', { collection: 'notes', vector, limit: 1 }, token);
    expect(found.hits[0]).toMatchObject({ key: 'n1', entity: { title: 'note 1' } });
    await post(first.url, 'wait', { token: rows.token, timeoutMs: 5000 }, token);

    first.child.kill('SIGKILL');
    await first.ended;
    const second = await serve('--issue-tokens', 'loopback');
    const again = await issue(second.url);
    const kept = await post<GlobalQueryAnswer>(second.url, 'query', query, again);
    expect(kept.keys).toEqual(['n1', 'n2', 'n3']);
    const back = await TestSocket.open(second.url);
    back.hello(again, { clientId: 'device-1', logEpoch });
    expect((await back.next('welcome')).logEpoch).toBe(logEpoch);
    back.send({ type: 'subscribe', channel, subscription: 1, credit: 1_000_000, formers: [] });
    expect((await back.next('subscribed')).known).toMatchObject({ clientId: 'device-1', lmid: 3 });
    const log = first.output() + second.output();
    for (const secret of [token, again, vector]) expect(log).not.toContain(secret);
    back.close();
  });

  it('tells the password of root at its first start only, and it works', async () => {
    const first = await serve();
    const password = /shown this once: (\S+)/.exec(first.output())?.[1];
    const answer = await post<ResolveAnswer>(first.url, 'resolve', { collections: [], partitions: [] }, `root:${password}`);
    expect(answer.channels).toEqual([]);
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    const second = await serve();
    expect(second.output()).not.toContain('shown this once');
  });

  it('drains and ends with 0 on SIGTERM and on SIGINT, told once or twice at a time', async () => {
    for (const signals of [['SIGTERM'], ['SIGINT', 'SIGINT']] as const) {
      const { url, child, ended } = await serve('--insecure');
      const socket = await TestSocket.open(url);
      socket.hello('');
      await socket.next('welcome');
      for (const signal of signals) child.kill(signal);
      await socket.next('goaway');
      expect(await socket.closed).toBe(1001);
      expect(await ended).toBe(0);
    }
  });

  it('says so, and ends with 1, when its port is taken', async () => {
    const { url } = await serve('--insecure');
    const other = await mkdtemp(join(tmpdir(), 'terndb-serve-'));
    try {
      await expect(serve('--insecure', '--data', other)).rejects.toThrow('each flag once');
      const refused = serveProcess(other, [], { TERNDB_PORT: new URL(url).port });
      await expect(refused).rejects.toThrow(/ended with 1: [\s\S]*OPTION_INVALID: port, host: an address that is free expected/);
    } finally {
      await rm(other, { recursive: true });
    }
  });
});
