/**
 * The dynamic field. Keys that a row has and the schema has not are kept in one hidden JSON field, and flattened again when rows are read. A filter
 * names them like fields, or as `$meta["key"]`: both become a path into the hidden field before the filter is parsed.
 */
export const DYNAMIC_FIELD = 'dynamic_';

/** Words of the filter language that are no names, in any case. */
const WORDS = new Set(['and', 'or', 'not', 'in', 'like', 'exists', 'is', 'null', 'true', 'false', 'iso', 'interval', 'between']);
const NAME = /\$?[A-Za-z_]\w*/y;
const NUMBER = /\d[\w.]*/y;

/** One pass. What is not finished (a text, a template) is left to the parser's complaint. */
export function withDynamicNames(filter: string, fields: ReadonlySet<string>): string {
  const parts: string[] = [];
  let at = 0;
  while (at < filter.length) {
    const end = endOfToken(filter, at);
    const token = filter.slice(at, end);
    parts.push(/^[$A-Za-z_]/.test(token) ? replaced(token, filter, end, fields) : token);
    at = end;
  }
  return parts.join('');
}

function endOfToken(filter: string, at: number): number {
  const first = filter[at]!;
  if (first === '"' || first === "'") return endOfText(filter, at, first);
  if (first === '{') {
    const end = filter.indexOf('}', at);
    return end < 0 ? filter.length : end + 1;
  }
  for (const pattern of [NAME, NUMBER]) {
    pattern.lastIndex = at;
    if (pattern.test(filter)) return pattern.lastIndex;
  }
  return at + 1;
}

function endOfText(filter: string, start: number, quote: string): number {
  for (let at = start + 1; at < filter.length; at++) {
    if (filter[at] === '\\') at += 1;
    else if (filter[at] === quote) return at + 1;
  }
  return filter.length;
}

function replaced(name: string, filter: string, end: number, fields: ReadonlySet<string>): string {
  if (name === '$meta') return DYNAMIC_FIELD;
  const isKnown = name.startsWith('$') || fields.has(name) || WORDS.has(name.toLowerCase()) || isCalled(filter, end);
  return isKnown ? name : `${DYNAMIC_FIELD}["${name}"]`;
}

const BEFORE_CALL = /\s*\(/y;
function isCalled(filter: string, end: number): boolean {
  BEFORE_CALL.lastIndex = end;
  return BEFORE_CALL.test(filter);
}
