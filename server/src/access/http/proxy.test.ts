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

const deployed = (name: string): string => readFileSync(fileURLToPath(new URL(`../../../../deploy/${name}`, import.meta.url)), 'utf8');
const certificate = (name: string): string => fileURLToPath(new URL(`../testing/certificates/${name}`, import.meta.url));
const ca = readFileSync(certificate('ca.pem'));

/** The example of one proxy as it is, but for names, certificate and ports. */
interface Proxy {
  readonly name: string;
  readonly file: string;
  readonly program: string | undefined;
  readonly install: string;
  /** Writes its configuration into the folder. */
  prepare(folder: string, upstream: string): Promise<{ readonly check: readonly string[]; readonly run: readonly string[] }>;
  readonly isFine: string;
  /** What the server hears of somebody who says it is 203.0.113.7. */
  readonly forwardedFor: string;
}

const found = (name: string): string | undefined =>
  ['/usr/sbin', '/usr/bin', '/usr/local/bin'].map((folder) => join(folder, name)).find((path) => existsSync(path));

const nginx: Proxy = {
  name: 'nginx',
  file: 'nginx.conf',
  program: found('nginx'),
  install: 'apt-get install nginx-light',
  isFine: 'test is successful',
  forwardedFor: '203.0.113.7, 127.0.0.1',
  prepare: async (folder, upstream) => {
    const site = deployed('nginx.conf')
      .replace('127.0.0.1:19530', upstream)
      .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
      .replace('terndb.example.com', 'localhost')
      .replace(/(ssl_certificate\s+)\S+;/, `$1${certificate('server.pem')};`)
      .replace(/(ssl_certificate_key\s+)\S+;/, `$1${certificate('server.key')};`);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(folder, name)};`);
    const config = `daemon off; pid ${join(folder, 'pid')}; error_log stderr; worker_processes 1; events {}
http { access_log off; ${paths.join(' ')}\n${site}\n}`;
    await mkdir(join(folder, 'logs'));
    await writeFile(join(folder, 'nginx.conf'), config);
    const run = ['-p', folder, '-c', join(folder, 'nginx.conf')];
    return { check: ['-t', ...run], run };
  },
};

const caddy: Proxy = {
  name: 'Caddy',
  file: 'Caddyfile',
  program: found('caddy'),
  install: 'apt-get install caddy',
  isFine: 'Valid configuration',
  // It believes nobody unless told to.
  forwardedFor: '127.0.0.1',
  prepare: async (folder, upstream) => {
    const site = deployed('Caddyfile')
      .replace('127.0.0.1:19530', upstream)
      .replace(
        'terndb.example.com {',
        `https://localhost:${port}, https://127.0.0.1:${port} {\n\tbind 127.0.0.1\n\ttls ${certificate('server.pem')} ${certificate('server.key')}`,
      );
    const config = `{\n\tadmin off\n\tauto_https disable_redirects\n\tgrace_period 1s\n\tstorage file_system ${folder}\n}\n${site}`;
    await writeFile(join(folder, 'Caddyfile'), config);
    const file = ['--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')];
    return { check: ['validate', ...file], run: ['run', ...file] };
  },
};

let folder: string;
let server: Awaited<ReturnType<typeof startMemoryServer>>;
let process: ChildProcess | undefined;
let port: number;

async function start(proxy: Proxy): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'terndb-proxy-'));
  server = await startMemoryServer({ trustProxies: ['127.0.0.1'] });
  port = await freePort();
  const { check, run } = await proxy.prepare(folder, new URL(server.url).host);
  // What it keeps of its own belongs into the folder.
  const env = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
  const { stdout, stderr } = spawnSync(proxy.program!, check, { encoding: 'utf8', env });
  expect(`${stdout}${stderr}`).toContain(proxy.isFine);
  process = spawn(proxy.program!, run, { stdio: ['ignore', 'ignore', 'pipe'], env });
  let said = '';
  process.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  let isUp = false;
  const poll = setInterval(
    () =>
      void get('/healthz')
        .then(() => (isUp = true))
        .catch(() => {}),
    20,
  );
  await until(proxy.name, () => {
    if (process!.exitCode !== null) throw new Error(`${proxy.name} ended: ${said}`);
    return isUp;
  }).finally(() => clearInterval(poll));
}

async function stop(): Promise<void> {
  if (process === undefined) return;
  const ended = once(process, 'close');
  process.kill('SIGTERM');
  await ended;
  process = undefined;
  await server.close();
  await rm(folder, { recursive: true });
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

describe.each([nginx, caddy])('$name as deploy/$file has it', (proxy) => {
  beforeEach(async ({ skip }) => {
    if (proxy.program === undefined)
      skip(`${proxy.name} is not installed (${proxy.install}): the example of a reverse proxy is not tested`);
    await start(proxy);
  });
  afterEach(stop);

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
    await server.real.write({ database: 'default', type: 'put', collection: 'notes', entities: [{ id: 'a', title: 'through it' }] });
    await until('the change', () => text.includes('through it'));
    answer.destroy();
  });

  it('says who is asking, so that one address does not spend what all of them may', async () => {
    const address = new Promise<string>((resolve) => {
      server.app.http.server.on('request', (sent: IncomingMessage) => {
        if (sent.url === '/readyz?who') resolve(String(sent.headers['x-forwarded-for']));
      });
    });
    (await get('/readyz?who', { 'x-forwarded-for': '203.0.113.7' })).resume();
    expect(await address).toBe(proxy.forwardedFor);
  });
});
