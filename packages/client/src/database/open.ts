import { DbError, type Shapes } from '@terndb/core';
import type { Database, OpenOptions } from '../api/database.ts';
import { createDatabase } from './database.ts';
import { Session } from './session.ts';

/** A name goes into the names of an IndexedDB database, locks and channels. */
const MAX_NAME_LENGTH = 200;

/** One session per name and page: a second open shares the worker. */
const sessions = new Map<string, Promise<Session>>();

/**
 * Opens or creates. Succeeds without storage too, in memory: see `storage.get().mode`. No network. One name per user: `notes:${uid}`.
 * Rejects with SCHEMA_CONFLICT, FORMAT_VERSION_UNSUPPORTED, DECRYPTION_FAILED.
 */
export async function open<C extends Shapes>(name: string, options: OpenOptions<C>): Promise<Database<C>> {
  checkOptions(name, options);
  const existing = sessions.get(name);
  if (existing !== undefined) {
    const session = await existing.catch(() => undefined);
    await session?.closing?.catch(() => {});
    // It may have failed or been closed while we waited.
    if (session === undefined || sessions.get(name) !== existing) return await open(name, options);
    if (session.schemaText !== JSON.stringify(options.schema.definition)) throw otherSchema(name);
    return createDatabase(session, options.schema);
  }
  const forget = (): void => {
    if (sessions.get(name) === opening) sessions.delete(name);
  };
  const opening = Session.open(name, options, forget);
  sessions.set(name, opening);
  // It may fail before there is a session that could end.
  opening.catch(forget);
  return createDatabase(await opening, options.schema);
}

function checkOptions(name: string, options: OpenOptions<any>): void {
  if (typeof name !== 'string' || name.length === 0 || name.length > MAX_NAME_LENGTH) {
    throw new DbError('OPTION_INVALID', `open: a name of 1 to ${MAX_NAME_LENGTH} characters expected, got ${JSON.stringify(name)}`);
  }
  if (typeof options?.schema?.definition !== 'object')
    throw new DbError('OPTION_INVALID', `open ${name}: schema: a schema from defineSchema expected`);
  if (options.encryptionKey !== undefined) throw new DbError('OPTION_INVALID', `open ${name}: encryptionKey: not in this version of Tern`);
  if (typeof Worker === 'undefined') {
    throw new DbError(
      'STORAGE_UNAVAILABLE',
      `open ${name}: a place with workers expected; open in an effect, not while rendering on a server`,
    );
  }
}

function otherSchema(name: string): DbError {
  return new DbError('SCHEMA_CONFLICT', `open ${name}: this page has it open with another schema; close it first`, {
    details: { database: name },
  });
}
