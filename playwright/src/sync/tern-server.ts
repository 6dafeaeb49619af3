import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** A server that says nothing for this long will not start. */
const READY_TIMEOUT_MS = 30_000;
const SECRET = 'a secret that only these tests know, long enough';

export interface TernServer {
  readonly port: number;
  readonly url: string;
  /** SIGKILL: nothing is tidied up. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** `terndb serve` as its user starts it, on this data folder. */
export async function startTern(
  data: string,
  options: { readonly port?: number; readonly args?: readonly string[] } = {},
): Promise<TernServer> {
  const args = ['run', '--silent', 'terndb', '--', 'serve', '--port', String(options.port ?? 0), '--data', data, ...(options.args ?? [])];
  const child: ChildProcess = spawn('npm', args, {
    cwd: root,
    // A group of its own, so that the signal reaches the server and not only npm.
    detached: true,
    env: { ...process.env, NODE_OPTIONS: '', TERNDB_ROOT_PASSWORD: 'playwright', TERNDB_AUTH_HS256_SECRET: SECRET, TERNDB_ORIGINS: '*' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  let text = '';
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server did not get ready: ${text}`)), READY_TIMEOUT_MS);
    const hear = (chunk: Buffer): void => {
      text += chunk.toString();
      const found = /ready (http:\S+)/.exec(text)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${text}`)));
  });
  const signal = async (name: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, name);
    await ended;
  };
  return { url, port: Number(new URL(url).port), kill: () => signal('SIGKILL'), stop: () => signal('SIGTERM') };
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token as an app's own server would sign it. */
export function tokenFor(subject: string, options: { readonly partitions?: readonly string[]; readonly seconds?: number } = {}): string {
  const partitions = options.partitions ?? ['team'];
  const now = Math.floor(Date.now() / 1000);
  const tern = { partitions: Object.fromEntries(partitions.map((partition) => [partition, 'write'])), schema: true };
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: subject, iat: now, exp: now + (options.seconds ?? 3600), tern })}`;
  return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}
