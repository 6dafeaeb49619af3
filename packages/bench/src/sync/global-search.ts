/**
 * What HTTP adds to a search by the server: the p50 of `POST /sync/v1/search` on a connection that is kept, less the p50 of the same searches
 * asked of the node inside the same process; rounds take turns. 20,000 rows of 128 dimensions, hits with their entities without the vector.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineSchema, f, type Op } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { median, percentile, report, round, tiny } from '../lib/report.ts';
import { SERVER_ENV, type ServedProcess, startProcess, tokenFor, until } from './server-process.ts';
import type { AnsweredInside, AskedInside } from './serving-process.ts';
import { resolveChannel, SimulatedDevice } from './simulated-device.ts';

const rows = tiny ? 200 : 20_000;
const dim = tiny ? 8 : 128;
const queriesPerRound = tiny ? 5 : 100;
const rounds = tiny ? 2 : 10;
const limit = 10;
const partition = 'shared';
const definition = defineSchema({ items: { title: f.text(), vec: f.vector(dim) } }).definition.collections.items;

function ask<T>({ child }: ServedProcess, message: AskedInside | 'seal'): Promise<T> {
  return new Promise((resolve) => {
    child.once('message', (answer) => resolve(answer as T));
    child.send(message);
  });
}

function post(agent: Agent, url: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}`, 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(`${response.statusCode}: ${text}`))));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
const TOKEN = tokenFor('bench');

async function fill(url: string, next: () => number): Promise<void> {
  const channel = await resolveChannel(url, { name: 'items', definition, partition });
  const device = new SimulatedDevice({ url, channel, subject: 'writer', rng: seededRng(2) });
  try {
    await until('the writer is live', () => device.isLive);
    const vector = (): Float32Array => Float32Array.from({ length: dim }, next);
    for (let done = 0; done < rows; done += 500) {
      const ops = Array.from({ length: Math.min(500, rows - done) }, (_, index): Op => {
        const pk = `item-${done + index}`;
        return { type: 'put', pk, fields: { title: `title of ${pk}`, vec: vector() }, create: true };
      });
      device.writeMany(ops);
      await until('rows are written', () => device.held === 0);
    }
    if (device.failure !== undefined) throw new Error(`global search: ${device.failure}`);
  } finally {
    device.close();
  }
}

export async function globalSearch(): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), 'terndb-bench-search-'));
  const script = fileURLToPath(new URL('./serving-process.ts', import.meta.url));
  const server = await startProcess(script, [], { ...SERVER_ENV, TERNDB_DATA: data });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const rng = seededRng(1);
  const next = (): number => rng.nextUint32() / 2 ** 32 - 0.5;
  try {
    await fill(`${server.url}/sync`, next);
    await ask(server, 'seal');
    const inside: number[] = [];
    const outside: number[] = [];
    const differences: number[] = [];
    for (let at = -1; at < rounds; at++) {
      const vectors = Array.from({ length: queriesPerRound }, () => Array.from({ length: dim }, () => Math.fround(next())));
      const own = await ask<AnsweredInside>(server, { collection: 'items', partitions: [partition], vectors, limit, select: ['title'] });
      const http: number[] = [];
      for (const [index, numbers] of vectors.entries()) {
        const vector = Buffer.from(Float32Array.from(numbers).buffer).toString('base64');
        const body = JSON.stringify({
          collection: 'items',
          partitions: [partition],
          vector,
          limit,
          select: ['title'],
          consistency: 'eventually',
        });
        const start = performance.now();
        const answer = await post(agent, `${server.url}/sync/v1/search`, body);
        http.push(performance.now() - start);
        const { hits } = JSON.parse(answer) as { hits: { key: unknown }[] };
        const keys = hits.map(({ key }) => key);
        if (keys.length !== limit || keys.join() !== own.keys[index]!.join())
          throw new Error(`global search: ${keys} over HTTP, ${own.keys[index]} inside`);
      }
      // The first round warms up.
      if (at < 0) continue;
      inside.push(...own.ms);
      outside.push(...http);
      differences.push(percentile(http, 0.5) - percentile(own.ms, 0.5));
    }
    report('sync.global-search', {
      rows,
      dim,
      limit,
      queries: inside.length,
      engineP50Ms: round(percentile(inside, 0.5)),
      httpP50Ms: round(percentile(outside, 0.5)),
      httpP99Ms: round(percentile(outside, 0.99)),
      addedP50Ms: round(median(differences)),
      leastAddedMs: round(Math.min(...differences)),
    });
  } finally {
    agent.destroy();
    await server.stop();
    await rm(data, { recursive: true, force: true, maxRetries: 3 });
  }
}
