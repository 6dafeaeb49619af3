import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url));

export interface Served {
  readonly url: string;
  readonly child: ChildProcess;
  /** All that it has printed. */
  readonly output: () => string;
  /** Its exit code, null after a signal. */
  readonly ended: Promise<number | null>;
}

/** A real process on a real folder, on a free port unless the environment names one: what `npm run terndb -- serve` starts. Resolves when it says that it is ready. The caller ends it. */
export function serveProcess(data: string, flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Served> {
  const before = { TERNDB_PORT: '0', TERNDB_DRAIN_MS: '200' };
  return startProcess(['serve', '--data', data, '--log-level', 'info', ...flags], { ...before, ...env });
}

/** `terndb` with these words and nothing else. Rejects with all that it has said when it ends before it is ready. */
export async function startProcess(words: readonly string[], env: NodeJS.ProcessEnv): Promise<Served> {
  const child = spawn(process.execPath, ['--conditions=@terndb/source', MAIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  let text = '';
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      text += chunk.toString();
      const found = /ready (https?:\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout!.on('data', take);
    child.stderr!.on('data', take);
    void ended.then((code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
  return { url, child, output: () => text, ended };
}
