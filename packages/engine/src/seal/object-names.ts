import { hash64, hashToHex } from '@terndb/core';

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
