/**
 * LIKE patterns: `%` any run of characters, `_` exactly one (a code point, so a bird emoji is one), `\` takes the next character literally (at
 * the very end it stands for itself). The whole value must match, case-sensitive. No regular expression, so no pattern makes it exponential.
 */
const ANY_RUN = -1;
const ANY_ONE = -2;

/** Code points and the two wildcards, runs of `%` as one. */
function parseLike(pattern: string): readonly number[] {
  const tokens: number[] = [];
  let escaped = false;
  for (const character of pattern) {
    if (!escaped && character === '\\') {
      escaped = true;
      continue;
    }
    const token = escaped ? character.codePointAt(0)! : tokenOf(character);
    if (token !== ANY_RUN || tokens.at(-1) !== ANY_RUN) tokens.push(token);
    escaped = false;
  }
  if (escaped) tokens.push(0x5c);
  return tokens;
}

function tokenOf(character: string): number {
  return character === '%' ? ANY_RUN : character === '_' ? ANY_ONE : character.codePointAt(0)!;
}

/**
 * Compiles a pattern to a test of texts. Patterns without `_` use the native text search; others cost O(text * longest part between two `%`)
 * at worst, O(text) in practice.
 */
export function compileLike(pattern: string): (text: string) => boolean {
  const tokens = parseLike(pattern);
  return tokens.includes(ANY_ONE) ? (text) => matchTokens(tokens, text) : literalParts(tokens);
}

/** Only `%` and literals: a start, an end, and parts found one after the other in between, each as far left as it goes. */
function literalParts(tokens: readonly number[]): (text: string) => boolean {
  const parts: string[] = [''];
  for (const token of tokens) {
    if (token === ANY_RUN) parts.push('');
    else parts[parts.length - 1] += String.fromCodePoint(token);
  }
  const start = parts[0]!;
  if (parts.length === 1) return (text) => text === start;
  const end = parts.at(-1)!;
  const middle = parts.slice(1, -1);
  return (text) => {
    if (text.length < start.length + end.length || !text.startsWith(start) || !text.endsWith(end)) return false;
    const limit = text.length - end.length;
    let at = start.length;
    for (const part of middle) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= limit;
  };
}

/** Greedy: on a mismatch only the last `%` takes one character more, because an earlier one could not do better. */
function matchTokens(tokens: readonly number[], text: string): boolean {
  let at = 0;
  let token = 0;
  let run = -1;
  let runEnd = 0;
  while (at < text.length) {
    const character = text.codePointAt(at)!;
    const expected = tokens[token];
    if (expected === ANY_RUN) {
      run = token++;
      runEnd = at;
    } else if (expected === ANY_ONE || expected === character) {
      token += 1;
      at += widthOf(character);
    } else if (run >= 0) {
      token = run + 1;
      runEnd += widthOf(text.codePointAt(runEnd)!);
      at = runEnd;
    } else return false;
  }
  if (tokens[token] === ANY_RUN) token += 1;
  return token === tokens.length;
}

function widthOf(codePoint: number): number {
  return codePoint > 0xffff ? 2 : 1;
}
