import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { encodeUtf8 } from 'lib0/string';
import { assert } from '../errors/assert.ts';
import { canonicalJson } from '../value/canonical-json.ts';
import type { CollectionDefinition, SchemaDefinition } from './definition.ts';

/** Bytes of the digest that are kept: 128 bits name a schema beyond accident. */
const HASH_BYTES = 16;

/**
 * What a client and a server compare instead of definitions: the first 16 bytes of SHA-256 over the canonical JSON (keys in code unit order)
 * of a definition in its canonical form, as 32 hex digits. The hash of a collection does not depend on the schema's version.
 */
export function schemaHash(definition: CollectionDefinition | SchemaDefinition): string {
  const json = canonicalJson(definition);
  assert(typeof json === 'string', 'schemaHash takes a checked definition');
  return bytesToHex(sha256(encodeUtf8(json)).subarray(0, HASH_BYTES));
}
