import { ChunkedBytes } from '../bytes/chunked-bytes.ts';
import { formatInvalid } from '../bytes/damage.ts';
import { bytesOf } from '../bytes/typed-views.ts';
import { decodeUtf8 } from '../bytes/utf8.ts';
import type { SectionKind } from './format.ts';
import type { EncodedSection } from './section-list.ts';
import { ROWS_PER_STEP, type Steps } from './steps.ts';

/** Offsets and UTF-8 of a list of strings: the dictionary, the client table. */
export function* encodeStrings(
  strings: readonly string[],
  kinds: { readonly offsets: SectionKind; readonly values: SectionKind },
): Steps<EncodedSection[]> {
  const bytes = new ChunkedBytes();
  const offsets = new Uint32Array(strings.length + 1);
  for (const [index, text] of strings.entries()) {
    bytes.appendText(text);
    offsets[index + 1] = bytes.length;
    if (index % ROWS_PER_STEP === 0) yield;
  }
  return [
    { kind: kinds.offsets, parts: [bytesOf(offsets)] },
    { kind: kinds.values, parts: bytes.finish() },
  ];
}

/** All strings at once. ASCII, the common case, is decoded in one call and cut. FORMAT_INVALID when not UTF-8 or not strictly ascending. */
export function decodeStrings(offsets: Uint32Array, bytes: Uint8Array, what: string): string[] {
  const strings: string[] = [];
  try {
    const whole = decodeUtf8(bytes, 0, bytes.length);
    const ascii = whole.length === bytes.length;
    for (let index = 0; index + 1 < offsets.length; index++) {
      strings.push(ascii ? whole.slice(offsets[index]!, offsets[index + 1]!) : decodeUtf8(bytes, offsets[index]!, offsets[index + 1]!));
    }
  } catch (cause) {
    throw formatInvalid(what, 'a string is not UTF-8', cause);
  }
  for (let index = 1; index < strings.length; index++) {
    if (strings[index - 1]! >= strings[index]!) throw formatInvalid(what, `strings are not ascending and distinct at ${index}`);
  }
  return strings;
}
