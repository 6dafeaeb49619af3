import { type FilterContext, invalid } from './context.ts';

const SIMPLE: Readonly<Record<string, string>> = {
  '\\': '\\',
  '"': '"',
  "'": "'",
  '?': '?',
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
/** Digits after the letter. `\x` and octal escapes are code points here, not bytes. */
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const OCTAL = /[0-7]{1,3}/y;

/** The literal that starts at `offset`: an optional prefix, then a quote. `end` is behind its closing quote. */
export function readString(context: FilterContext, text: string, offset: number): { readonly value: string; readonly end: number } {
  let at = offset;
  while (text[at] !== '"' && text[at] !== "'") at++;
  const quote = text[at]!;
  const isRaw = /[rR]/.test(text.slice(offset, at));
  const parts: string[] = [];
  let from = ++at;
  for (;;) {
    const character = text[at];
    if (character === undefined || character === '\n' || character === '\r')
      throw invalid(context, offset, `string closed by ${quote}`, character === undefined ? 'the end' : 'a line break');
    if (character === quote) return { value: parts.join('') + text.slice(from, at), end: at + 1 };
    if (character !== '\\') at++;
    else if (isRaw) at += 2;
    else {
      const read = readEscape(context, text, at);
      parts.push(text.slice(from, at), read.value);
      at = read.end;
      from = at;
    }
  }
}

function readEscape(context: FilterContext, text: string, offset: number): { readonly value: string; readonly end: number } {
  const letter = text[offset + 1] ?? '';
  if (Object.hasOwn(SIMPLE, letter)) return { value: SIMPLE[letter]!, end: offset + 2 };
  const digits = Object.hasOwn(HEX_DIGITS, letter) ? HEX_DIGITS[letter]! : 0;
  if (digits > 0) {
    const hex = text.slice(offset + 2, offset + 2 + digits);
    const code = /^[0-9a-fA-F]+$/.test(hex) && hex.length === digits ? Number.parseInt(hex, 16) : -1;
    if (code < 0 || code > 0x10ffff)
      throw invalid(context, offset, `\\${letter} and ${digits} hexadecimal digits of a code point`, `'${hex}'`);
    return { value: String.fromCodePoint(code), end: offset + 2 + digits };
  }
  OCTAL.lastIndex = offset + 1;
  const octal = OCTAL.exec(text)?.[0];
  if (octal === undefined) throw invalid(context, offset, 'escape sequence', `'\\${letter}'`);
  const code = Number.parseInt(octal, 8);
  if (code > 0o377) throw invalid(context, offset, 'octal escape up to \\377', `'\\${octal}'`);
  return { value: String.fromCodePoint(code), end: offset + 1 + octal.length };
}
