import { describe, expect, it } from 'vitest';
import page from '../../../../docs/errors.md?raw';
import { AssertionError, assert, assertNever } from './assert.ts';
import type { ErrorCode, ErrorCodes, ErrorKind } from './codes.ts';
import { DbError, type ErrorMessage } from './db-error.ts';
import { ERROR_CODES } from './table.ts';

const codes = Object.keys(ERROR_CODES) as ErrorCode[];
const KINDS: readonly ErrorKind[] = ['input', 'conflict', 'unavailable', 'data', 'closed', 'internal'];

/** The cells of the page's rows that begin with a code. */
const documented = [...page.matchAll(/^\| `([A-Z_]+)` \|(.+)\|$/gm)].map((row) => [
  row[1]!,
  ...row[2]!.split('|').map((cell) => cell.trim()),
]);

describe('a DbError', () => {
  it('of another copy of the class is one, too; an error of the platform is none', () => {
    class OtherCopy extends Error {
      override readonly name = 'DbError';
    }
    const other = new OtherCopy('x');
    expect(other).toBeInstanceOf(DbError);
    expect(DbError.from(other)).toBe(other);
    for (const none of [new Error('x'), null, undefined, 'DbError', {}]) expect(none).not.toBeInstanceOf(DbError);
  });
});

describe('the error registry', () => {
  it('is what docs/errors.md lists: code, kind, retryable and status, in the same order', () => {
    const registered = codes.map((code) => {
      const { kind, retryable, http } = ERROR_CODES[code];
      return [code, kind, retryable ? 'yes' : 'no', String(http)];
    });
    expect(documented.map((row) => row.slice(0, 4))).toEqual(registered);
    expect(registered.length).toBeGreaterThan(30);
  });

  it('is documented with a meaning and advice for every code, and every kind is explained', () => {
    for (const row of documented) {
      expect(row).toHaveLength(6);
      expect(row[4]!.length).toBeGreaterThan(3);
      expect(row[5]!.length).toBeGreaterThan(3);
    }
    for (const kind of KINDS) expect(page).toContain(`| \`${kind}\` |`);
  });

  it('is the exported type: the two cannot hold different codes or kinds', () => {
    // Compiles only while the registry's type is exactly the exported one.
    const registry: { readonly [C in keyof ErrorCodes]: { readonly kind: ErrorCodes[C] } } = ERROR_CODES;
    const keys: readonly (keyof ErrorCodes)[] = codes;
    expect(keys.every((code) => KINDS.includes(registry[code].kind))).toBe(true);
  });

  it('retries exactly what is unavailable, and gives statuses that fit the kind', () => {
    for (const code of codes) {
      const { kind, retryable, http } = ERROR_CODES[code];
      expect(retryable).toBe(kind === 'unavailable');
      const caller = kind === 'input' || kind === 'conflict' || code === 'AUTH_REQUIRED' || code === 'RATE_LIMITED';
      expect(Math.floor(http / 100)).toBe(caller ? 4 : 5);
    }
  });
});

describe('DbError', () => {
  it('crosses a border as JSON with code, kind, message and details intact', () => {
    for (const code of codes) {
      const sent = new DbError(code, `${code}: expected 768, got 512`, {
        details: { field: 'vector', expected: 768, got: [512] },
        cause: new Error('inside'),
      });
      const received = DbError.fromMessage(JSON.parse(JSON.stringify(sent)) as ErrorMessage);
      expect(received).toBeInstanceOf(DbError);
      expect(received).toBeInstanceOf(Error);
      expect([received.name, received.code, received.kind, received.message]).toEqual([
        'DbError',
        code,
        ERROR_CODES[code].kind,
        sent.message,
      ]);
      expect(received.details).toEqual(sent.details);
      expect(received.cause).toBeUndefined();
    }
  });

  it('turns the code of a newer peer into INTERNAL and keeps it in details', () => {
    for (const code of ['FROM_THE_FUTURE', 'toString', '__proto__']) {
      const received = DbError.fromMessage({ code, message: 'new', details: { a: 1 } });
      expect([received.code, received.kind, received.message]).toEqual(['INTERNAL', 'internal', 'new']);
      expect(received.details).toEqual({ a: 1, code });
    }
  });

  it('has no details rather than undefined ones, and no cause unless given', () => {
    const error = new DbError('TIMEOUT', 'late');
    expect(error.details).toEqual({});
    expect('cause' in error).toBe(false);
    expect(new DbError('TIMEOUT', 'late', { cause: undefined })).toHaveProperty('cause', undefined);
  });

  it('is made from whatever was thrown, keeping it as the cause', () => {
    const known = new DbError('OFFLINE', 'gone');
    expect(DbError.from(known)).toBe(known);
    const failure = new TypeError('x is not a function');
    expect(DbError.from(failure)).toMatchObject({ code: 'INTERNAL', message: 'x is not a function', cause: failure });
    expect(DbError.from('text')).toMatchObject({ code: 'INTERNAL', message: 'text', cause: 'text' });
    expect(DbError.from(undefined)).toMatchObject({ code: 'INTERNAL', message: 'undefined' });
  });
});

describe('assert', () => {
  it('throws an AssertionError, which is no DbError, and builds its message only then', () => {
    let built = 0;
    const message = (): string => {
      built += 1;
      return 'rows: 2 expected, got 3';
    };
    assert(true, message);
    expect(built).toBe(0);
    expect(() => assert(false, message)).toThrow(AssertionError);
    expect(() => assert(0, 'a text')).toThrow('a text');
    expect(new AssertionError('x')).not.toBeInstanceOf(DbError);
    expect(() => assertNever('surprise' as never, 'kind')).toThrow('kind: unexpected "surprise"');
  });
});
