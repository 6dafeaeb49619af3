import { ERROR_KINDS, type ErrorCode, type ErrorCodes } from './codes.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** What an error is while it crosses a worker, a tab or the network. */
export interface ErrorMessage {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, JsonValue>>;
}

/**
 * The only error class. Branch on `code` or `kind`, never on `message`. The message says what, which one, expected and got;
 * `details` says the same as data. The same object after crossing a worker or the network, `cause` aside.
 */
export class DbError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'DbError' as const;
  readonly code: C;
  readonly details: Readonly<Record<string, JsonValue>>;

  constructor(code: C, message: string, options: { details?: Readonly<Record<string, JsonValue>>; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details ?? {};
  }

  get kind(): ErrorCodes[C] {
    return ERROR_KINDS[this.code];
  }

  toJSON(): ErrorMessage {
    return { code: this.code, message: this.message, details: this.details };
  }

  /** The way back after a border. An unknown code (a newer peer's) becomes INTERNAL and keeps the code in `details`. */
  static fromMessage(message: ErrorMessage): DbError {
    if (Object.hasOwn(ERROR_KINDS, message.code))
      return new DbError(message.code as ErrorCode, message.message, { details: message.details });
    return new DbError('INTERNAL', message.message, { details: { ...message.details, code: message.code } });
  }

  /** Also of another copy of this class: a worker and the files that it loads later have each their own. */
  static override [Symbol.hasInstance](value: any): boolean {
    return value?.name === 'DbError';
  }

  /** Any thrown value as a DbError: itself, or INTERNAL with the value as its cause. */
  static from(thrown: unknown): DbError {
    if (thrown instanceof DbError) return thrown;
    return new DbError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  }
}
