import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileMatch } from '../filter/evaluate.ts';
import { propertyOptions } from '../testing/property-options.ts';

/** From the definition: every way to give the phrase's words places in the text. */
function oracle(text: readonly string[], phrase: readonly string[], slop: number): boolean {
  const place = (at: number, used: readonly number[]): boolean => {
    if (at === phrase.length) {
      const distances = used.map((position, i) => position - i);
      return Math.max(...distances) - Math.min(...distances) <= slop;
    }
    return text.some((word, position) => word === phrase[at] && !used.includes(position) && place(at + 1, [...used, position]));
  };
  return phrase.length > 0 && place(0, []);
}

const words = fc.constantFrom('a', 'b', 'c');

test('a phrase is held where its words can stand, out of step by no more than the slop', () => {
  let held = 0;
  fc.assert(
    fc.property(
      fc.array(words, { maxLength: 9 }),
      fc.array(words, { maxLength: 4 }),
      fc.integer({ min: 0, max: 4 }),
      (text, phrase, slop) => {
        const expected = oracle(text, phrase, slop);
        const node = { type: 'match', field: 'x', mode: 'phrase', text: phrase.join(' '), slop } as const;
        expect(compileMatch(node)(text.join(' '))).toBe(expected);
        if (expected) held++;
      },
    ),
    propertyOptions(2000),
  );
  expect(held).toBeGreaterThan(0);
});
