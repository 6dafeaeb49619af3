import { DbError } from '@terndb/core';
import { isLoopback } from '../../config/loopback.ts';

export interface OriginRule {
  /** Beside the server's own; `*`: all. */
  readonly origins: readonly string[];
  /** Security rests on who can reach the server: then only names that mean this machine are answered (DNS rebinding). */
  readonly onlyLoopbackHosts: boolean;
}

/** Browsers say where a page comes from; other programs say nothing and are held to their token alone. */
export function isAllowedOrigin({ origins }: OriginRule, origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || origins.includes('*') || origins.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

/** FORBIDDEN. */
export function checkOrigin(rule: OriginRule, origin: string | undefined, host: string | undefined): void {
  if (isAllowedOrigin(rule, origin, host)) return;
  const shown = String(origin).slice(0, 200);
  throw new DbError('FORBIDDEN', `origin: one of the configured origins expected, got ${shown}`, { details: { origin: shown } });
}

/** FORBIDDEN. */
export function checkHost({ origins, onlyLoopbackHosts }: OriginRule, host: string | undefined): void {
  if (!onlyLoopbackHosts) return;
  const url = `http://${host ?? ''}`;
  if (URL.canParse(url) && isLoopback(new URL(url).hostname)) return;
  if (origins.some((origin) => URL.canParse(origin) && new URL(origin).host === host)) return;
  const shown = String(host).slice(0, 200);
  throw new DbError('FORBIDDEN', `host: a name of this machine expected, got ${shown}`, { details: { host: shown } });
}
