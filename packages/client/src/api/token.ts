import { DbError } from '@terndb/core';
import type { Token } from './reading.ts';

/** Longer than a token over a thousand channels. */
const MAX_TOKEN_LENGTH = 65_536;

/** For a token that came as text, from a URL for instance. @throws TOKEN_INVALID */
export function parseToken(text: string): Token {
  if (typeof text === 'string' && text.length <= MAX_TOKEN_LENGTH && /^[A-Za-z0-9._~-]+$/.test(text)) return text as Token;
  throw new DbError('TOKEN_INVALID', 'token: a text of URL-safe characters expected');
}
