import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DbError } from '@terndb/core';
import { hashPassword, type PasswordHash } from './password.ts';

/**
 * What the server makes for itself at its first start, in `<data>/secrets.json`, readable by its owner only:
 *   {"version":1,"jwtSecret":base64url of 32 bytes,"root":{"salt","hash"} base64url}
 */
export interface LocalSecrets {
  readonly jwtSecret: string;
  readonly root: PasswordHash;
  /** Only at the first start: to be printed once. */
  readonly newRootPassword?: string;
}

const FILE = 'secrets.json';
const OWNER_ONLY = 0o600;
const SECRET_BYTES = 32;
/** 128 bits: nobody guesses it. */
const PASSWORD_BYTES = 16;

/** FORMAT_INVALID when the file is damaged: it is never made anew, which would shut out everybody who has a token. */
export async function openLocalSecrets(data: string): Promise<LocalSecrets> {
  const file = join(data, FILE);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? create(data, file) : parse(text, file);
}

async function create(data: string, file: string): Promise<LocalSecrets> {
  const newRootPassword = randomBytes(PASSWORD_BYTES).toString('base64url');
  const secrets = { jwtSecret: randomBytes(SECRET_BYTES).toString('base64url'), root: await hashPassword(newRootPassword) };
  await mkdir(data, { recursive: true });
  const draft = `${file}.new`;
  await writeFile(draft, JSON.stringify({ version: 1, ...secrets }), { mode: OWNER_ONLY, flush: true });
  await chmod(draft, OWNER_ONLY);
  await rename(draft, file);
  return { ...secrets, newRootPassword };
}

function parse(text: string, file: string): LocalSecrets {
  try {
    const { version, jwtSecret, root } = JSON.parse(text) as Partial<LocalSecrets> & { readonly version?: unknown };
    const isWhole = version === 1 && typeof jwtSecret === 'string' && typeof root?.salt === 'string' && typeof root.hash === 'string';
    if (isWhole) return { jwtSecret, root: { salt: root.salt, hash: root.hash } };
  } catch {
    // Said below.
  }
  throw new DbError('FORMAT_INVALID', `${file}: the secrets of this server expected, got something else`, { details: { file } });
}
