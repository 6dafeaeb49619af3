import { readFile } from 'node:fs/promises';
import type { ServerOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import { DbError } from '@terndb/core';
import type { Config } from '../../config/config.ts';

/** Undefined: plain HTTP. OPTION_INVALID names the file that cannot be read, or says why what is in them cannot be used. */
export async function readTls({ certFile, keyFile, clientCaFile }: Config['tls']): Promise<ServerOptions | undefined> {
  if (certFile === undefined || keyFile === undefined) return undefined;
  const pair = { cert: await read('tls.certFile', certFile), key: await read('tls.keyFile', keyFile), minVersion: 'TLSv1.2' } as const;
  const ca = clientCaFile === undefined ? undefined : await read('tls.clientCaFile', clientCaFile);
  try {
    createSecureContext({ ...pair, ca });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DbError('OPTION_INVALID', `tls: certificates and their key as PEM expected, got: ${reason}`, {
      details: { option: 'tls', certFile, keyFile, reason },
      cause,
    });
  }
  return ca === undefined ? pair : { ...pair, ca, requestCert: true, rejectUnauthorized: true };
}

async function read(option: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new DbError('OPTION_INVALID', `${option}: a readable file expected, got ${file}`, { details: { option, where: file }, cause });
  }
}
