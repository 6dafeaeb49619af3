import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyOptions } from '../testing/property-options.ts';
import { compileLike } from './like.ts';

/** Straight from the definition, exponential, over code points. */
function naiveLike(pattern: readonly string[], text: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return text.length === 0;
  if (first === '%') return naiveLike(rest, text) || (text.length > 0 && naiveLike(pattern, text.slice(1)));
  if (first === '\\' && rest.length > 0) return text.length > 0 && text[0] === rest[0] && naiveLike(rest.slice(1), text.slice(1));
  return text.length > 0 && (first === '_' || text[0] === first) && naiveLike(rest, text.slice(1));
}

const like = (pattern: string, text: string): boolean => compileLike(pattern)(text);
const character = fc.constantFrom('a', 'b', '%', '_', '\\', '🐦', 'é');

describe('like', () => {
  it('takes the whole value, case-sensitive', () => {
    expect(like('tern', 'tern')).toBe(true);
    expect(like('tern', 'Tern')).toBe(false);
    expect(like('tern', 'terns')).toBe(false);
    expect(like('', '')).toBe(true);
    expect(like('', 'a')).toBe(false);
  });

  it('knows any run, one character and escapes', () => {
    expect(like('a%', 'a')).toBe(true);
    expect(like('%b%', 'abc')).toBe(true);
    expect(like('a%a', 'a')).toBe(false);
    expect(like('a_c', 'abc')).toBe(true);
    expect(like('_', '🐦')).toBe(true);
    expect(like('__', '🐦')).toBe(false);
    expect(like('100\\%', '100%')).toBe(true);
    expect(like('100\\%', '1000')).toBe(false);
    expect(like('a\\', 'a\\')).toBe(true);
    expect(like('a.c', 'abc')).toBe(false);
    expect(like('%\n%', 'a\nb')).toBe(true);
  });

  it('agrees with the definition', () => {
    let matched = 0;
    fc.assert(
      fc.property(fc.array(character, { maxLength: 7 }), fc.array(character, { maxLength: 9 }), (pattern, text) => {
        const expected = naiveLike(pattern, text);
        if (expected) matched += 1;
        expect(like(pattern.join(''), text.join(''))).toBe(expected);
      }),
      propertyOptions(3000),
    );
    expect(matched).toBeGreaterThan(50);
  });

  it('ends on patterns that make backtracking explode', () => {
    const text = 'a'.repeat(5000);
    expect(like(`${'%a'.repeat(200)}%b`, text)).toBe(false);
    expect(like(`${'%_a'.repeat(200)}%b`, text)).toBe(false);
    expect(like(`${'%_a'.repeat(200)}%`, text)).toBe(true);
  });
});
