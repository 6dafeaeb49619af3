import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DbError } from '@terndb/core';
import { hashPassword, type PasswordHash } from './password.ts';

/**
 * What the server makes for itself when it first needs it, in `<data>/secrets.json`, readable by its owner only:
 *   {"version":1,"jwtSecret":base64url of 32 bytes,"root"?:{"salt","hash"} base64url}
 * `root` is there once its password was shown: until then nobody knows it.
 */
export interface LocalSecrets {
  readonly jwtSecret: string;
  readonly root?: PasswordHash;
}

export interface RootSecrets {
  readonly root: PasswordHash;
  /** Only when it was just made: to be printed once. */
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
  if (text !== undefined) return parse(text, file);
  const secrets = { jwtSecret: randomBytes(SECRET_BYTES).toString('base64url') };
  await store(data, secrets);
  return secrets;
}

/** The password of root, made if there is none. */
export async function openRootSecrets(data: string): Promise<RootSecrets> {
  const secrets = await openLocalSecrets(data);
  if (secrets.root !== undefined) return { root: secrets.root };
  const newRootPassword = randomBytes(PASSWORD_BYTES).toString('base64url');
  const root = await hashPassword(newRootPassword);
  await store(data, { ...secrets, root });
  return { root, newRootPassword };
}

/** Another password for root. */
export async function storeRootPassword(data: string, root: PasswordHash): Promise<void> {
  await store(data, { ...(await openLocalSecrets(data)), root });
}

async function store(data: string, secrets: LocalSecrets): Promise<void> {
  const file = join(data, FILE);
  await mkdir(data, { recursive: true });
  const draft = `${file}.new`;
  await writeFile(draft, JSON.stringify({ version: 1, ...secrets }), { mode: OWNER_ONLY, flush: true });
  await chmod(draft, OWNER_ONLY);
  await rename(draft, file);
}

function parse(text: string, file: string): LocalSecrets {
  try {
    const { version, jwtSecret, root } = JSON.parse(text) as Partial<LocalSecrets> & { readonly version?: unknown };
    const isRoot = root === undefined || (typeof root.salt === 'string' && typeof root.hash === 'string');
    if (version === 1 && typeof jwtSecret === 'string' && isRoot) return { jwtSecret, ...(root === undefined ? {} : { root }) };
  } catch {
    // Said below.
  }
  throw new DbError('FORMAT_INVALID', `${file}: the secrets of this server expected, got something else`, { details: { file } });
}
