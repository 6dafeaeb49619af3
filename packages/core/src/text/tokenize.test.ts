import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyOptions } from '../testing/property-options.ts';
import { tokenize } from './tokenize.ts';

describe('tokenize', () => {
  it.each([
    ['', []],
    [' -- ... ', []],
    ['The Arctic tern, again: THE tern!', ['the', 'arctic', 'tern', 'again', 'the', 'tern']],
    ["don't e-mail 3.14 x86_64", ['don', 't', 'e', 'mail', '3', '14', 'x86', '64']],
    ['Küsten\u00adschwalbe', ['küsten', 'schwalbe']],
    ['cafe\u0301 CAFÉ', ['café', 'café']],
    ['Ｔｅｒｎ ﬁsh ①', ['tern', 'fish', '1']],
    ['Straße ΣΊΣΥΦΟΣ', ['straße', 'σίσυφος']],
    ['हिन्दी भाषा', ['हिन्दी', 'भाषा']],
    ['燕鸥飞', ['燕鸥飞']],
    ['tern🐦tern', ['tern', 'tern']],
  ])('keeps to its pinned behaviour: %j', (text, tokens) => {
    expect(tokenize(text)).toEqual(tokens);
  });

  it('gives tokens that begin with a letter or number, hold no separator and come back from themselves', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        for (const token of tokenize(text)) {
          expect(token).toMatch(/^[\p{L}\p{N}][\p{L}\p{N}\p{M}]*$/u);
          expect(tokenize(token)).toEqual([token]);
        }
      }),
      propertyOptions(200),
    );
  });
});
