/**
 * Which rows a search has seen: one byte per row holds the number of the search that saw it last, so that a new search costs nothing;
 * every 255 searches all bytes are cleared. The running number is kept in front of the bytes (8 bytes, shared by all indexes of a kernel).
 */
import { visited } from './index';

export let epoch: u32 = 0;

export function newEpoch(bytes: u32): void {
  epoch = load<u32>(visited - 8) + 1;
  if (epoch > 255) {
    memory.fill(visited, 0, bytes);
    epoch = 1;
  }
  store<u32>(visited - 8, epoch);
}

@inline
export function markSeen(row: u32): void {
  store<u8>(visited + row, <u8>epoch);
}
