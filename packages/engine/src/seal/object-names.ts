import { hash64, hashToHex, utf8Encode } from '@terndb/core';

/**
 * Names of a channel's objects. Contents decide them, so a name never stands for two things: a seal that was cut off and is done again
 * differently writes other names, and what nothing refers to is collected at open.
 */
export function segmentName(channel: string, id: string): string {
  return `${channel}/segment-${id}`;
}

export function tombstonesName(channel: string, bytes: Uint8Array): string {
  return `${channel}/tombstones-${bytes.length}-${hashToHex(hash64(bytes))}`;
}

export function manifestName(channel: string, version: number, bytes: Uint8Array): string {
  return `${channel}/manifest-${version}-${hashToHex(hash64(bytes))}`;
}

/** Field names may be longer than object names: their hash stands for them. */
export function indexName(
  channel: string,
  index: { readonly segment: string; readonly type: string; readonly field: string; readonly bytes: number; readonly checksum: number },
): string {
  const field = hashToHex(hash64(utf8Encode(index.field)));
  const checksum = (index.checksum >>> 0).toString(16).padStart(8, '0');
  return `${channel}/index-${index.segment}-${field}-${index.type}-${index.bytes}-${checksum}`;
}
