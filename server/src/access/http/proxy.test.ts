import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineSchema, f } from '@terndb/core';
import { decodeMessage, encodeMessage, PROTOCOL_VERSION } from '@terndb/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { until } from '../../node/testing/until.ts';
import { startMemoryServer } from '../testing/test-server.ts';

const SITE = fileURLToPath(new URL('../../../../deploy/nginx.conf', import.meta.url));
const certificate = (name: string): string => fileURLToPath(new URL(`../testing/certificates/${name}`, import.meta.url));
const NGINX = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/bin/nginx'].find((path) => existsSync(path));

let folder: string;
let server: Awaited<ReturnType<typeof startMemoryServer>>;
let nginx: ChildProcess | undefined;
let port: number;
const ca = readFileSync(certificate('ca.pem'));

beforeEach(async ({ skip }) => {
  if (NGINX === undefined) skip('nginx is not installed (apt-get install nginx-light): the example of a reverse proxy is not tested');
  folder = await mkdtemp(join(tmpdir(), 'terndb-nginx-'));
  server = await startMemoryServer({ trustProxies: ['127.0.0.1'] });
  port = await freePort();
  await startNginx(NGINX!);
});
afterEach(async () => {
  if (nginx === undefined) return;
  const ended = once(nginx, 'close');
  nginx.kill('SIGTERM');
  await ended;
  nginx = undefined;
  await server.close();
  await rm(folder, { recursive: true });
});

/** The site as it is, but for names, certificate and ports. */
async function startNginx(program: string): Promise<void> {
  const site = readFileSync(SITE, 'utf8')
    .replace('127.0.0.1:19530', new URL(server.url).host)
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace('terndb.example.com', 'localhost')
    .replace(/(ssl_certificate\s+)\S+;/, `$1${certificate('server.pem')};`)
    .replace(/(ssl_certificate_key\s+)\S+;/, `$1${certificate('server.key')};`);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(folder, name)};`);
  const config = `daemon off; pid ${join(folder, 'pid')}; error_log stderr; worker_processes 1; events {}
http { access_log off; ${paths.join(' ')}\n${site}\n}`;
  await mkdir(join(folder, 'logs'));
  await writeFile(join(folder, 'nginx.conf'), config);
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf')];
  const check = spawnSync(program, ['-t', ...args], { encoding: 'utf8' });
  expect(check.stderr).toContain('test is successful');
  nginx = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  nginx.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  let isUp = false;
  const poll = setInterval(
    () =>
      void get('/healthz')
        .then(() => (isUp = true))
        .catch(() => {}),
    20,
  );
  await until('nginx', () => {
    if (nginx!.exitCode !== null) throw new Error(`nginx ended: ${said}`);
    return isUp;
  }).finally(() => clearInterval(poll));
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address() as { readonly port: number };
  probe.close();
  await once(probe, 'close');
  return free;
}

function get(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', servername: 'localhost', port, path, headers, ca, agent: false }, resolve).on('error', reject).end();
  });
}

describe('nginx as deploy/nginx.conf has it', () => {
  it('passes on requests, and sockets of pages that it serves itself', async () => {
    const answer = await get('/readyz');
    expect(answer.statusCode).toBe(200);
    answer.resume();
    expect((await get('/metrics')).statusCode).toBe(403);
    const token = await server.token({ partitions: { '*': 'read' } });
    const open = (origin: string): WebSocket => {
      // `ws` hands them on to TLS; its types do not say so.
      const options = { ca, servername: 'localhost', origin, perMessageDeflate: false };
      return new WebSocket(`wss://127.0.0.1:${port}/sync`, options);
    };
    const socket = open(`https://127.0.0.1:${port}`);
    await once(socket, 'open');
    const hello = {
      type: 'hello',
      oldest: PROTOCOL_VERSION,
      newest: PROTOCOL_VERSION,
      clientId: 'device',
      term: 1,
      token,
      schemas: [],
    } as const;
    socket.send(encodeMessage(hello));
    const [data] = (await once(socket, 'message')) as [Buffer];
    expect(decodeMessage(data)).toMatchObject({ type: 'welcome' });
    socket.terminate();
    await expect(once(open('https://elsewhere.example'), 'open')).rejects.toThrow('403');
  });

  it('passes on lines of the change feed when they are written', async () => {
    const definition = defineSchema({ notes: { title: f.text() } }).definition.collections.notes;
    await server.real.catalog.createCollection('default', 'notes', definition);
    const token = await server.token({ partitions: { '*': 'read' } });
    const answer = await get('/changes?collection=notes&partition=_default', { authorization: `Bearer ${token}` });
    let text = '';
    answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
    answer.on('error', () => {});
    await until('the position', () => text.includes('"position"'));
    await server.real.write({ database: 'default', type: 'put', collection: 'notes', entities: [{ id: 'a', title: 'through nginx' }] });
    await until('the change', () => text.includes('through nginx'));
    answer.destroy();
  });

  it('says who is asking, so that one address does not spend what all of them may', async () => {
    const address = new Promise<string>((resolve) => {
      server.app.http.server.on('request', (sent: IncomingMessage) => {
        if (sent.url === '/readyz?who') resolve(String(sent.headers['x-forwarded-for']));
      });
    });
    (await get('/readyz?who', { 'x-forwarded-for': '203.0.113.7' })).resume();
    expect(await address).toBe('203.0.113.7, 127.0.0.1');
  });
});
