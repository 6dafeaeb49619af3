/** JSON in which integers beyond 2^53 are bigint: read from the literal, never through a double. */
declare global {
  interface JSON {
    rawJSON(text: string): object;
  }
}

/** An integer that a double might not hold. Most bodies have none and are read at full speed. */
const LONG_INTEGER = /[:[,\s]-?\d{16,}\s*[,\]}\s]/;

/** Throws SyntaxError. */
export function parseExact(text: string): unknown {
  if (!LONG_INTEGER.test(text)) return JSON.parse(text);
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    return context?.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

export function stringifyExact(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? JSON.rawJSON(String(item)) : item));
}
