import type { Config } from '../config/config.ts';
import type { CliContext } from './run-cli.ts';
import { startServer } from './start-server.ts';

/** Ctrl-C in a terminal reaches a process directly and through the npm script that started it: within this time it is one wish, not two. */
const SAME_WISH_MS = 1_000;

/** Serves until SIGINT or SIGTERM; a second one ends at once. */
export async function serve(config: Config, { out, error }: Pick<CliContext, 'out' | 'error'>): Promise<number> {
  const server = await startServer(config);
  if (server.newRootPassword !== undefined && !config.insecure) {
    out(`Password of root, shown this once: ${server.newRootPassword}`);
  }
  const told = untilTold();
  out(`ready ${server.url}`);
  const failure = await Promise.race([told, server.stopped]);
  if (failure !== undefined) error(`${failure.code}: ${failure.message}`);
  await server.close();
  return failure === undefined ? 0 : 1;
}

function untilTold(): Promise<undefined> {
  return new Promise((resolve) => {
    let toldAtMs: number | undefined;
    const onSignal = (): void => {
      const now = performance.now();
      if (toldAtMs !== undefined && now - toldAtMs > SAME_WISH_MS) process.exit(1);
      toldAtMs ??= now;
      resolve(undefined);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
