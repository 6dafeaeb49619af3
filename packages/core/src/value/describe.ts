/** Longest piece of a user's value in an error message. */
const MAX_SHOWN = 40;

/** A value in an error message's "got …": its kind, and the value itself where it is short. Never throws, never calls the value's methods. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `string ${JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value)}`;
    case 'number':
    case 'boolean':
      return `${typeof value} ${value}`;
    case 'bigint':
      return `bigint ${`${value}`.slice(0, MAX_SHOWN)}`;
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `array of ${value.length}`;
      return ArrayBuffer.isView(value) ? `${tagOf(value)} of ${value.byteLength} bytes` : tagOf(value);
    default:
      return typeof value;
  }
}

/** `Object`, `Date`, `Uint8Array` …: holds across realms, unlike `instanceof`. Objects may lie about it: read them with care. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** An object that is a record of its own properties: an object literal or JSON, of any realm; no array, no class instance. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
