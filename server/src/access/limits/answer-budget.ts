import { DbError } from '@terndb/core';
import type { EntityRecord } from '@terndb/engine';

/** Of each row, beside its values: brackets, a score. */
const ROW_BYTES = 16;
/** A number as text, about. */
const NUMBER_BYTES = 8;

/**
 * How much one answer may hold, counted row by row as it is read, so that what is too large is refused before it is there: texts in bytes, numbers as
 * `NUMBER_BYTES`, vectors as base64, of every list of a request. The finished text is held to it, too: vectors as decimal numbers are two to three times as long.
 */
export class AnswerBudget {
  readonly #most: number;
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws QUERY_INVALID when there is no room for this row beside those before. */
  take(entity: EntityRecord): void {
    this.#bytes += ROW_BYTES + bytesOf(entity);
    if (this.#bytes > this.#most) throw tooLarge(this.#most);
  }

  /** @throws QUERY_INVALID. */
  check(text: string): string {
    // A unit of UTF-16 is three bytes at most.
    if (text.length > this.#most || (text.length * 3 > this.#most && Buffer.byteLength(text) > this.#most)) throw tooLarge(this.#most);
    return text;
  }
}

/** Of an error: the answer would be too large. */
export const isTooLarge = ({ code, details }: DbError): boolean => code === 'QUERY_INVALID' && details['option'] === OPTION;
const OPTION = 'limits.answerBytes';

function tooLarge(most: number): DbError {
  const advice = 'ask for a smaller limit, for fewer fields (vectors are the longest), or page by page';
  return new DbError('QUERY_INVALID', `answer: at most ${most} bytes expected, got more: ${advice}`, {
    details: { option: OPTION, limit: most },
  });
}

function bytesOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return Buffer.byteLength(value) + 3;
    case 'object':
      return value === null ? 5 : bytesOfObject(value);
    default:
      return NUMBER_BYTES;
  }
}

function bytesOfObject(value: object): number {
  if (ArrayBuffer.isView(value)) return Math.ceil((value.byteLength * 4) / 3) + 3;
  if (value instanceof Date) return 3 * NUMBER_BYTES;
  let bytes = 3;
  if (Array.isArray(value)) for (const item of value as readonly unknown[]) bytes += bytesOf(item);
  else for (const [name, item] of Object.entries(value)) bytes += name.length + 3 + bytesOf(item);
  return bytes;
}
