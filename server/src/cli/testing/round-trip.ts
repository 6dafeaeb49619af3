import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type CollectionDefinition, checkCollection, type Op, schemaHash, timestampFromMs } from '@terndb/core';
import type { ResolveAnswer } from '@terndb/sync';
import { expect } from 'vitest';
import { TestSocket } from '../../access/testing/test-server.ts';
import type { Prepared } from './configurations.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export interface Door {
  readonly url: string;
  readonly client: Prepared['client'];
  /** Empty: none. */
  readonly credential: string;
}

interface Asked {
  /** A post, then. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request, on a connection of its own, with the client's certificates. */
export function ask({ url, client, credential }: Door, path: string, { body, headers = {} }: Asked = {}): Promise<Answer> {
  const authorization = credential === '' ? {} : { authorization: `Bearer ${credential}` };
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const options = {
    ...client,
    agent: false,
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...authorization, ...type, ...headers },
  };
  const send = url.startsWith('https:') ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = send(`${url}${path}`, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const NOTES: CollectionDefinition = checkCollection('notes', {
  fields: [
    { name: 'id', type: 'primaryKey' },
    { name: 'title', type: 'text' },
  ],
});

/** Creates, inserts and searches at the REST door, pushes at the socket and reads it back, is healthy, and counts what it has. */
export async function roundTrip(door: Door): Promise<void> {
  await rest(door, 'collections/create', { collectionName: 'things', dimension: 2 });
  const data = [1, 2, 3].map((id) => ({ id, vector: [id, 1], name: `thing ${id}` }));
  expect(await rest(door, 'entities/insert', { collectionName: 'things', data })).toMatchObject({ insertCount: 3 });
  const search = { collectionName: 'things', data: [[-1, 0]], limit: 3, outputFields: ['name'], consistencyLevel: 'Strong' };
  expect(await rest(door, 'entities/search', search)).toMatchObject([{ name: 'thing 1' }, { name: 'thing 2' }, { name: 'thing 3' }]);
  await push(door);
  const query = { collection: 'notes', partitions: ['team'], consistency: 'strong', select: ['title'] };
  expect(await sync(door, 'query', query)).toMatchObject({ keys: ['n1'] });
  const health = await Promise.all(['/healthz', '/readyz', '/metrics'].map((path) => ask({ ...door, credential: '' }, path)));
  expect(health.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(health[2]!.text).toMatch(/^terndb_entities 4$/m);
}

async function rest(door: Door, path: string, body: object): Promise<unknown> {
  const { status, text } = await ask(door, `/v2/vectordb/${path}`, { body });
  const answer = JSON.parse(text) as { readonly code: number; readonly data?: unknown };
  expect([status, answer.code], `${path}: ${text}`).toEqual([200, 0]);
  return answer.data;
}

async function sync(door: Door, path: string, body: object): Promise<unknown> {
  const { status, text } = await ask(door, `/sync/v1/${path}`, { body });
  expect(status, `${path}: ${text}`).toBe(200);
  return JSON.parse(text);
}

async function push(door: Door): Promise<void> {
  const collections = [{ name: 'notes', schemaHash: schemaHash(NOTES), schemaVersion: 1, definition: NOTES }];
  const { channels } = (await sync(door, 'resolve', { collections, partitions: ['team'] })) as ResolveAnswer;
  const { channel } = channels[0]!;
  const socket = await TestSocket.open(door.url, door.client);
  socket.hello(door.credential, { clientId: 'device-1' });
  await socket.next('welcome');
  socket.subscribe(channel);
  await socket.next('subscribed');
  const op: Op = { type: 'put', pk: 'n1', fields: { title: 'a note' }, create: true };
  const record = {
    type: 'op',
    op,
    hlc: timestampFromMs(Date.now()),
    clientId: 'device-1',
    seq: 1,
    author: '',
    schemaVersion: 1,
  } as const;
  socket.send({ type: 'push', channel, subscription: 1, records: [record] });
  expect(await Promise.race([socket.next('ack'), socket.next('denied')])).toMatchObject({ type: 'ack', seq: 1, rejected: [] });
  socket.close();
}
