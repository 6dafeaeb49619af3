import { DbError } from '@terndb/core';
import { readConfig } from '../../config/read-config.ts';
import { parseArguments } from '../arguments.ts';
import { startServer } from '../start-server.ts';

export interface ServedHere {
  readonly url: string;
  readonly newRootPassword: string | undefined;
  close(): Promise<void>;
}

/** What `terndb` with these words and variables would start, in this process: a process of its own costs a second of a core. */
export async function serveInProcess(words: readonly string[], env: Readonly<Record<string, string>>): Promise<ServedHere> {
  const { flags } = parseArguments(words);
  const { config: file, ...others } = flags;
  if (file === true) throw new DbError('OPTION_INVALID', '--config: a file expected, got none');
  const server = await startServer(readConfig({ env, flags: others, ...(file === undefined ? {} : { file }) }));
  return { url: server.url, newRootPassword: server.newRootPassword, close: () => server.close() };
}
