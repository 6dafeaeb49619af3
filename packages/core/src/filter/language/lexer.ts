import { type FilterContext, invalid, unsupported } from './context.ts';
import { readString } from './string-literal.ts';

export type Token = { readonly offset: number; readonly end: number } & (
  | { readonly kind: 'end' }
  | { readonly kind: 'name' | 'symbol'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
);

/** Longest spelling of 64 bits (binary) with room for leading zeros: BigInt takes more than linear time. */
const MAX_INTEGER_DIGITS = 80;
/** Longest first. */
const SYMBOLS = ['**', '<<', '>>', '&&', '||', '==', '!=', '<=', '>=', '=~', '!~', ...'+-*/%&|^~!<>=()[]{},'];
const SPACE = /[ \t\r\n]*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*|\$[A-Za-z0-9_]*/y;
const STRING_START = /(?:u8|[uULrR])?["']/y;
// No two parts of a pattern can take the same character, so that none of them backtracks more than once over a token.
const HEX_FLOAT = /0[xX]([0-9a-fA-F]+)(?:\.([0-9a-fA-F]*))?[pP]([+-]?\d+)/y;
const INTEGER = /0[xX][0-9a-fA-F]+|0[bB][01]+|\d+/y;
const FLOAT = /\d+(?:\.\d*(?:[eE][+-]?\d+)?|[eE][+-]?\d+)|\.\d+(?:[eE][+-]?\d+)?/y;

/** Tokens of a filter, one at a time, each character looked at a bounded number of times. */
export class Lexer {
  readonly #context: FilterContext;
  readonly #text: string;
  #at = 0;
  /** Characters taken into tokens so far: the measure of work. */
  get taken(): number {
    return this.#at;
  }

  constructor(context: FilterContext, text: string) {
    this.#context = context;
    this.#text = text;
  }

  next(): Token {
    this.#at += this.#match(SPACE)!.length;
    const offset = this.#at;
    const first = this.#text[offset];
    if (first === undefined) return { kind: 'end', offset, end: offset };
    if (this.#match(STRING_START) !== undefined) return this.#string(offset);
    const name = this.#match(NAME);
    if (name !== undefined) return this.#take({ kind: 'name', text: name, offset, end: offset + name.length });
    const number = this.#number(offset);
    if (number !== undefined) return number;
    const symbol = SYMBOLS.find((one) => this.#text.startsWith(one, offset));
    if (symbol === undefined) throw invalid(this.#context, offset, 'token of the filter language', this.#shown(offset));
    if (symbol === '=~' || symbol === '!~') throw unsupported(this.#context, offset, symbol, 'use like');
    return this.#take({ kind: 'symbol', text: symbol, offset, end: offset + symbol.length });
  }

  #string(offset: number): Token {
    const { value, end } = readString(this.#context, this.#text, offset);
    return this.#take({ kind: 'string', value, offset, end });
  }

  #number(offset: number): Token | undefined {
    const token = this.#hexFloat(offset) ?? this.#float(offset) ?? this.#integer(offset);
    if (token === undefined) return undefined;
    if (/[A-Za-z0-9_.]/.test(this.#text[token.end] ?? ' ')) throw invalid(this.#context, offset, 'number', this.#shown(token.end));
    return this.#take(token);
  }

  #hexFloat(offset: number): Token | undefined {
    HEX_FLOAT.lastIndex = offset;
    const match = HEX_FLOAT.exec(this.#text);
    if (match === null) return undefined;
    const [all, whole, fraction = '', exponent] = match;
    if (all.length > MAX_INTEGER_DIGITS)
      throw invalid(this.#context, offset, 'hexadecimal float of at most 80 characters', `${all.length}`);
    const value = Number(`0x${whole}${fraction}`) * 2 ** (Number(exponent) - 4 * fraction.length);
    return this.#finite(value, offset, offset + all.length);
  }

  #float(offset: number): Token | undefined {
    const text = this.#match(FLOAT);
    return text === undefined ? undefined : this.#finite(Number(text), offset, offset + text.length);
  }

  #finite(value: number, offset: number, end: number): Token {
    if (!Number.isFinite(value)) throw invalid(this.#context, offset, 'finite number', 'one beyond 64-bit floats');
    return { kind: 'float', value: value + 0, offset, end };
  }

  /** Up to 2^63, which only a minus sign makes an int64. */
  #integer(offset: number): Token | undefined {
    const text = this.#match(INTEGER);
    if (text === undefined) return undefined;
    const isOctal = /^0\d/.test(text);
    if (text.length > MAX_INTEGER_DIGITS || (isOctal && /[89]/.test(text)))
      throw invalid(this.#context, offset, isOctal ? 'octal integer' : '64-bit integer', `${text.slice(0, MAX_INTEGER_DIGITS)}`);
    const value = BigInt(isOctal ? `0o${text.slice(1)}` : text);
    if (value > 2n ** 63n) throw invalid(this.#context, offset, '64-bit integer', text);
    return { kind: 'integer', value, offset, end: offset + text.length };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0];
  }

  #take(token: Token): Token {
    this.#at = token.end;
    return token;
  }

  #shown(offset: number): string {
    return `'${String.fromCodePoint(this.#text.codePointAt(offset)!)}'`;
  }
}
