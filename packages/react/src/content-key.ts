/** Equal content, equal text: so queries may be written inline. Members of objects in any order; `signal` and functions do not count. */
export function contentKey(value: unknown): string {
  return JSON.stringify(plain(value));
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return ['bigint', String(value)];
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? undefined : value;
  if (value instanceof Date) return ['date', value.getTime()];
  if (ArrayBuffer.isView(value)) return [value.constructor.name, ...(value as Uint8Array)];
  if (Array.isArray(value)) return ['array', ...value.map(plain)];
  const members = Object.entries(value).filter(([name, member]) => name !== 'signal' && member !== undefined);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, plain(member)]));
}
