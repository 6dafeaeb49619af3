import { Secret } from '../adapters/s3/secret.ts';
import type { Config } from './config.ts';

/** The configuration as the file would say it, with `***` for each secret. */
export function printConfig(config: Config): string {
  return JSON.stringify(config, (_key, value: unknown) => (value instanceof Secret ? value.toString() : value), 2);
}
