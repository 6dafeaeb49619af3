import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const SECRET = 'a secret that only these benches know, long enough';
/** A process that says nothing for this long will not start. */
const READY_TIMEOUT_MS = 60_000;
/** One process asks for everybody: what protects a server from one address must not be what is measured. */
const LIMITS = {
  TERNDB_LIMITS_REQUESTS_PER_MINUTE: '10000000',
  TERNDB_LIMITS_USER_REQUESTS_PER_SECOND: '1000000',
  TERNDB_LIMITS_MESSAGES_PER_SECOND: '100000',
  TERNDB_LIMITS_CONNECTIONS: '100000',
};

export interface ServedProcess {
  readonly url: string;
  readonly pid: number;
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

export interface TernProcess extends ServedProcess {
  readonly data: string;
}

export const SERVER_ENV: Readonly<Record<string, string>> = {
  NODE_OPTIONS: '',
  TERNDB_ROOT_PASSWORD: 'benches',
  TERNDB_AUTH_HS256_SECRET: SECRET,
  TERNDB_ORIGINS: '*',
  TERNDB_LOG_LEVEL: 'error',
  ...LIMITS,
};

/** As a server is deployed (`scripts/lib/server.mjs` says why). */
const NODE_FLAGS = ['--max-semi-space-size=16', '--wasm-wrapper-tiering-budget=2147483647'];

/** A script of this repository in a process of its own, ready when it prints `ready URL`. */
export async function startProcess(script: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<ServedProcess> {
  const child = spawn(process.execPath, [...NODE_FLAGS, '--conditions=@terndb/source', script, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  // A bench that fails leaves nothing behind.
  const abandon = (): void => void child.kill('SIGKILL');
  process.once('exit', abandon);
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  void ended.then(() => process.off('exit', abandon));
  let text = '';
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${script} did not get ready: ${text}`)), READY_TIMEOUT_MS);
    const hear = (chunk: Buffer): void => {
      text = (text + chunk.toString()).slice(-10_000);
      const found = /ready (http:\S+)/.exec(text)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.on('exit', (code) => reject(new Error(`${script} ended with ${code}: ${text}`)));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  return { url, pid: child.pid!, child, stop };
}

/** `terndb serve` on embedded storage (LMDB, a folder) that is removed with it. */
export async function startTern(): Promise<TernProcess> {
  const data = await mkdtemp(join(tmpdir(), 'terndb-bench-server-'));
  const process = await startProcess(join(root, 'server/src/main.ts'), ['serve', '--port', '0', '--data', data], SERVER_ENV);
  const stop = async (): Promise<void> => {
    await process.stop();
    await rm(data, { recursive: true, force: true, maxRetries: 3 });
  };
  return { ...process, data, stop };
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** As an app's own server would sign it: everything of every partition, for an hour. */
export function tokenFor(subject: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: subject, iat: now, exp: now + 3600, tern: { partitions: { '*': 'write' }, schema: true } };
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}

/** Bytes of a process that are in memory. Linux. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`process ${pid}: a resident size expected`);
  return Number(kib) * 1024;
}

/** Bytes of a process that are its own: without pages of files, LMDB's map among them, which the system may take back. Linux. */
export function anonymousBytes(pid: number): number {
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`process ${pid}: a size of its own memory expected`);
  return Number(kib) * 1024;
}

/** The value of one Prometheus metric, without labels. */
export async function metricOf({ url }: ServedProcess, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(name.length));
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** @throws Error when `what` does not come true in `timeoutMs`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = 60_000, pollMs = 5 }: { readonly timeoutMs?: number; readonly pollMs?: number } = {},
): Promise<void> {
  for (const start = performance.now(); !(await condition()); await sleep(pollMs)) {
    if (performance.now() - start > timeoutMs) throw new Error(`${what}: not true after ${timeoutMs} ms`);
  }
}
