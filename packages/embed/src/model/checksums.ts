import { DbError } from '@terndb/core';
import { digestOf, type HashName } from './digest.ts';
import type { ManifestFile } from './manifest.ts';

const SRI = /^(sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})$/;

/** @throws CHECKSUM_MISMATCH when the bytes are not those that `integrity` (`sha256-…`, base 64) names; OPTION_INVALID when it is no such hash. */
export async function checkIntegrity(bytes: Uint8Array<ArrayBuffer>, integrity: string, name: string): Promise<void> {
  const [, algorithm, expected] = SRI.exec(integrity) ?? [];
  if (algorithm === undefined || expected === undefined)
    throw new DbError('OPTION_INVALID', `integrity: expected sha256-, sha384- or sha512- and base 64, got ${integrity}`, {
      details: { option: 'integrity' },
    });
  const got = btoa(String.fromCharCode(...(await digestOf(algorithm as HashName, bytes))));
  if (got !== expected) throw mismatch(name, `${algorithm}-${expected}`, `${algorithm}-${got}`);
}

/** @throws CHECKSUM_MISMATCH */
export async function checkFile(bytes: Uint8Array<ArrayBuffer>, expected: ManifestFile, name: string): Promise<void> {
  if (bytes.length !== expected.bytes) throw mismatch(name, `${expected.bytes} bytes`, `${bytes.length} bytes`);
  const got = Array.from(await digestOf('sha256', bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (got !== expected.sha256) throw mismatch(name, `sha256 ${expected.sha256}`, got);
}

function mismatch(file: string, expected: string, got: string): DbError {
  return new DbError('CHECKSUM_MISMATCH', `model file ${file}: expected ${expected}, got ${got}`, { details: { file, expected, got } });
}
