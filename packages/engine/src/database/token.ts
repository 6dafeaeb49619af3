import { DbError } from '@terndb/core';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { fromBase64Url, toBase64Url } from '../bytes/base64url.ts';

/**
 * Token, version 1: positions a read has seen or a write has reached, as base64url without padding. Varints and texts as in lib0.
 *   u8 version (1), text log epoch, varint count, count * { text channel, varint position }, by channel (code units)
 * Opaque to callers. History: 1 first version. Reads: 1. Anything else -> TOKEN_INVALID.
 */
const TOKEN_VERSION = 1;
/** As many channels as a collection may have partitions, with room: a longer text is not ours and is not decoded. */
const MAX_TOKEN_LENGTH = 256 * 1024;

export interface TokenPositions {
  readonly logEpoch: string;
  /** Channel → position. */
  readonly positions: ReadonlyMap<string, number>;
}

export function encodeToken({ logEpoch, positions }: TokenPositions): string {
  const encoder = encoding.createEncoder();
  encoding.writeUint8(encoder, TOKEN_VERSION);
  encoding.writeVarString(encoder, logEpoch);
  encoding.writeVarUint(encoder, positions.size);
  for (const channel of [...positions.keys()].sort()) {
    encoding.writeVarString(encoder, channel);
    encoding.writeVarUint(encoder, positions.get(channel)!);
  }
  return toBase64Url(encoding.toUint8Array(encoder));
}

/** TOKEN_INVALID. */
export function decodeToken(token: string): TokenPositions {
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

function decode(token: string): TokenPositions {
  const bytes = token.length > MAX_TOKEN_LENGTH ? undefined : fromBase64Url(token);
  if (bytes === undefined) throw new Error('base64url expected');
  const decoder = decoding.createDecoder(bytes);
  const version = decoding.readUint8(decoder);
  if (version !== TOKEN_VERSION) throw new Error(`version ${TOKEN_VERSION} expected, got ${version}`);
  const logEpoch = decoding.readVarString(decoder);
  const count = decoding.readVarUint(decoder);
  const positions = new Map<string, number>();
  for (let index = 0; index < count; index++) {
    const channel = decoding.readVarString(decoder);
    positions.set(channel, decoding.readVarUint(decoder));
  }
  if (decoding.hasContent(decoder)) throw new Error('bytes after the end');
  return { logEpoch, positions };
}
