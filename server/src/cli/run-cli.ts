import { DbError } from '@terndb/core';
import { flagsHelp } from '../config/describe-settings.ts';
import { printConfig } from '../config/print-config.ts';
import { readConfig } from '../config/read-config.ts';
import { parseArguments } from './arguments.ts';
import { serve } from './serve.ts';
import { issueDevelopmentToken, TOKEN_FLAGS, TOKEN_HELP } from './token.ts';

export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
}

const HELP = `terndb: a vector database for browsers, and the server behind it

  terndb serve    serves until SIGINT or SIGTERM; prints "ready URL" when it does
  terndb config   prints the configuration that serve would use, secrets masked
  terndb token    prints a token for development

Flags of serve and config (flags win over TERNDB_* variables, those over the file; all settings: docs/configuration.md)
  --config FILE            JSON file with settings.
${flagsHelp()}

Flags of token, beside those
${TOKEN_HELP}`;

/** @returns the exit code; 0 also for a server that was told to end. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  try {
    const { command, flags } = parseArguments(argv);
    if (flags['help'] !== undefined || command === 'help' || argv.length === 0) {
      context.out(HELP);
      return 0;
    }
    return await runCommand(command, flags, context);
  } catch (thrown) {
    const { code, message, stack } = DbError.from(thrown);
    context.error(code === 'INTERNAL' ? `${code}: ${stack ?? message}` : `${code}: ${message}`);
    return 1;
  }
}

async function runCommand(
  command: string | undefined,
  flags: Readonly<Record<string, string | true>>,
  context: CliContext,
): Promise<number> {
  const { config: file, ...others } = flags;
  if (file === true) throw new DbError('OPTION_INVALID', '--config: a file expected, got none', { details: { option: 'config' } });
  const isOfToken = ([name]: readonly [string, unknown]): boolean => command === 'token' && TOKEN_FLAGS.includes(name);
  const settings = Object.fromEntries(Object.entries(others).filter((flag) => !isOfToken(flag)));
  const read = (): ReturnType<typeof readConfig> =>
    readConfig({ env: context.env, flags: settings, ...(file === undefined ? {} : { file }) });
  switch (command) {
    case 'serve':
      return serve(read(), context);
    case 'config':
      context.out(printConfig(read()));
      return 0;
    case 'token':
      context.out(await issueDevelopmentToken(read(), Object.fromEntries(Object.entries(others).filter(isOfToken))));
      return 0;
    default:
      throw new DbError('OPTION_INVALID', `command: one of serve, config, token, help expected, got ${command ?? 'none'}`, {
        details: { option: 'command', got: command ?? '' },
      });
  }
}
