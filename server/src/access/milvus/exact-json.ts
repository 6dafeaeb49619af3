/** JSON in which integers beyond 2^53 are bigint: read from the literal, never through a double. */
declare global {
  interface JSON {
    rawJSON(text: string): object;
  }
}

/** An integer that a double might not hold. Most bodies have none and are read at full speed. */
const LONG_INTEGER = /[:[,\s]-?\d{16,}\s*[,\]}\s]/;

/** What 64 bits may have, with or without a sign. A longer one is no integer of ours, and making it one would take long. */
const INTEGER = /^-?\d{1,20}$/;

/** Of two equal keys the last counts, as in all of JSON here. Throws SyntaxError, RangeError for what is nested too deeply. */
export function parseExact(text: string): unknown {
  if (!LONG_INTEGER.test(text)) return JSON.parse(text);
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    return context?.source !== undefined && INTEGER.test(context.source) ? BigInt(context.source) : value;
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

export function stringifyExact(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? JSON.rawJSON(String(item)) : item));
}
