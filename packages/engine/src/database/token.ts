import { DbError } from '@terndb/core';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { fromBase64Url, toBase64Url } from '../bytes/base64url.ts';

/**
 * Token, version 2: positions a read has seen or a write has reached, as base64url without padding. Varints and texts as in lib0.
 *   version 1:  u8 version (1), universe
 *   version 2:  u8 version (2), varint count, count * universe, by log epoch (code units)
 *   universe:   text log epoch, varint count, count * { text channel, varint position }, by channel (code units)
 * A token of one universe is written as version 1, so that whoever knows no other understands it.
 * Opaque to callers. History: 1 first version; 2 several universes: channels of this device beside followed ones. Reads: 1, 2. Anything
 * else -> TOKEN_INVALID.
 */
const ONE_UNIVERSE = 1;
const SEVERAL_UNIVERSES = 2;
/** As many channels as a collection may have partitions, with room: a longer text is not ours and is not decoded. */
const MAX_TOKEN_LENGTH = 256 * 1024;

/** Of one universe. */
export interface TokenPositions {
  readonly logEpoch: string;
  /** Channel → position. */
  readonly positions: ReadonlyMap<string, number>;
}

export function encodeToken(token: TokenPositions | readonly TokenPositions[]): string {
  const universes = 'logEpoch' in token ? [token] : [...token].sort((a, b) => (a.logEpoch < b.logEpoch ? -1 : 1));
  const encoder = encoding.createEncoder();
  encoding.writeUint8(encoder, universes.length === 1 ? ONE_UNIVERSE : SEVERAL_UNIVERSES);
  if (universes.length !== 1) encoding.writeVarUint(encoder, universes.length);
  for (const universe of universes) writeUniverse(encoder, universe);
  return toBase64Url(encoding.toUint8Array(encoder));
}

function writeUniverse(encoder: encoding.Encoder, { logEpoch, positions }: TokenPositions): void {
  encoding.writeVarString(encoder, logEpoch);
  encoding.writeVarUint(encoder, positions.size);
  for (const channel of [...positions.keys()].sort()) {
    encoding.writeVarString(encoder, channel);
    encoding.writeVarUint(encoder, positions.get(channel)!);
  }
}

/** One part per universe. TOKEN_INVALID. */
export function decodeToken(token: string): readonly TokenPositions[] {
  try {
    return decode(token);
  } catch (cause) {
    throw new DbError(
      'TOKEN_INVALID',
      `token: one that a read or a write gave expected, got ${JSON.stringify(String(token).slice(0, 40))}`,
      {
        details: { got: String(token).slice(0, 40) },
        cause,
      },
    );
  }
}

function decode(token: string): TokenPositions[] {
  const bytes = token.length > MAX_TOKEN_LENGTH ? undefined : fromBase64Url(token);
  if (bytes === undefined) throw new Error('base64url expected');
  const decoder = decoding.createDecoder(bytes);
  const version = decoding.readUint8(decoder);
  if (version !== ONE_UNIVERSE && version !== SEVERAL_UNIVERSES) throw new Error(`version 1 or 2 expected, got ${version}`);
  const count = version === ONE_UNIVERSE ? 1 : decoding.readVarUint(decoder);
  const universes: TokenPositions[] = [];
  for (let index = 0; index < count; index++) universes.push(readUniverse(decoder));
  if (decoding.hasContent(decoder)) throw new Error('bytes after the end');
  return universes;
}

function readUniverse(decoder: decoding.Decoder): TokenPositions {
  const logEpoch = decoding.readVarString(decoder);
  const count = decoding.readVarUint(decoder);
  const positions = new Map<string, number>();
  for (let index = 0; index < count; index++) {
    const channel = decoding.readVarString(decoder);
    positions.set(channel, decoding.readVarUint(decoder));
  }
  return { logEpoch, positions };
}
