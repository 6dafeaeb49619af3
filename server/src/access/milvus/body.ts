import { describe } from '@terndb/core';
import { missingParameter, notJson } from './errors.ts';
import { stringifyExact } from './exact-json.ts';

/** A request body as Milvus reads it: names fit exactly or else in any case, unknown ones are ignored, the wrong type is "not JSON". */
export class Body {
  readonly #values: Readonly<Record<string, unknown>>;
  /** Lower case → the first key that is so. Made once: a body may have a million keys, and a handler asks for many. */
  #keys: ReadonlyMap<string, string> | undefined;

  constructor(values: unknown) {
    if (typeof values !== 'object' || values === null || Array.isArray(values))
      throw notJson(`an object expected, got ${describe(values)}`);
    this.#values = values as Readonly<Record<string, unknown>>;
  }

  /** Undefined: absent or null. */
  get(name: string): unknown {
    if (Object.hasOwn(this.#values, name)) return this.#values[name] ?? undefined;
    this.#keys ??= new Map(
      Object.keys(this.#values)
        .reverse()
        .map((candidate) => [candidate.toLowerCase(), candidate]),
    );
    const key = this.#keys.get(name.toLowerCase());
    return key === undefined ? undefined : (this.#values[key] ?? undefined);
  }

  text(name: string): string | undefined {
    return this.#typed(name, 'string', (value): value is string => typeof value === 'string');
  }

  mustText(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw missingParameter(name);
    return value;
  }

  integer(name: string): number | undefined {
    return this.#typed(name, 'integer', (value): value is number => Number.isSafeInteger(value));
  }

  flag(name: string): boolean | undefined {
    return this.#typed(name, 'bool', (value): value is boolean => typeof value === 'boolean');
  }

  object(name: string): Body | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : new Body(value);
  }

  list(name: string): readonly unknown[] | undefined {
    return this.#typed(name, 'array', (value): value is readonly unknown[] => Array.isArray(value));
  }

  /** Objects; code 1802 when there is none. */
  bodies(name: string): readonly Body[] {
    const items = this.list(name) ?? [];
    if (items.length === 0) throw missingParameter(name);
    return items.map((item) => new Body(item));
  }

  texts(name: string): readonly string[] | undefined {
    return this.#typed(
      name,
      'array of strings',
      (value): value is readonly string[] => Array.isArray(value) && value.every((item) => typeof item === 'string'),
    );
  }

  /** Numbers, switches and texts, as texts. */
  params(name: string): ReadonlyMap<string, string> {
    const value = this.get(name);
    if (value === undefined) return new Map();
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw notJson(`${name}: object expected, got ${describe(value)}`);
    return new Map(Object.entries(value).map(([key, item]) => [key, typeof item === 'object' ? stringifyExact(item) : String(item)]));
  }

  #typed<T>(name: string, expected: string, is: (value: unknown) => value is T): T | undefined {
    const value = this.get(name);
    if (value === undefined || is(value)) return value;
    throw notJson(`${name}: ${expected} expected, got ${describe(value)}`);
  }
}
