/** The headers of saved indexes: 32-bit little-endian words by name. Graphs and lists have different words and the same rules. */
import type { KernelError } from '../errors.ts';

export interface HeaderReader<Name extends string> {
  word(name: Name): number;
  /** The word, or what `corrupt` makes of one outside. */
  within(name: Name, low: number, high: number): number;
  /** Throws unless all of these words are zero. */
  mustBeZero(words: readonly number[]): void;
}

/** Reads nothing outside of the first `headerBytes`. Throws what `corrupt` makes. */
export function readWords<Name extends string>(
  bytes: Uint8Array,
  { headerBytes, words }: { readonly headerBytes: number; readonly words: Readonly<Record<Name, number>> },
  corrupt: (what: string, details: Record<string, unknown>) => KernelError,
): HeaderReader<Name> {
  if (bytes.length < headerBytes)
    throw corrupt(`at least ${headerBytes} bytes expected, got ${bytes.length}`, { expected: headerBytes, got: bytes.length });
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const at = (index: number): number => view.getUint32(index * 4, true);
  return {
    word: (name) => at(words[name]),
    within(name, low, high) {
      const value = at(words[name]);
      if (value >= low && value <= high) return value;
      throw corrupt(`${name} from ${low} to ${high} expected, got ${value}`, { field: name, low, high, got: value });
    },
    mustBeZero(indexes) {
      if (indexes.some((index) => at(index) !== 0)) throw corrupt('reserved bytes of the header are not zero', {});
    },
  };
}
