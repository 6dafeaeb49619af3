import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { markedWords, markRanges, type Ranges, snippet } from './highlight.ts';

const marked = (text: string, ranges: Ranges): string =>
  markRanges(text, ranges)
    .map((part) => (part.marked ? `[${part.text}]` : part.text))
    .join('');

/** Ranges of every place where the word stands. */
const rangesOf = (text: string, word: string): Ranges =>
  [...text.matchAll(new RegExp(word, 'g'))].map((match) => [match.index, match.index + word.length] as const);

describe('highlights', () => {
  it('mark the ranges the search gave', () => {
    const text = 'The Arctic tern turns.';
    expect(
      marked(text, [
        [4, 10],
        [11, 15],
      ]),
    ).toBe('The [Arctic] [tern] turns.');
    expect(marked(text, [])).toBe(text);
  });

  it('keep the text whole, whatever the ranges, for an edit may have shortened it', () => {
    const range = fc.tuple(fc.nat(60), fc.nat(60));
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.array(range), (text, ranges) => {
        expect(
          markRanges(text, ranges)
            .map((part) => part.text)
            .join(''),
        ).toBe(text);
      }),
    );
  });

  it('name their words once', () => {
    expect(markedWords('Tern, tern and Gull', rangesOf('tern, tern and Gull', 'tern'))).toEqual(['tern']);
  });
});

describe('snippets', () => {
  it('show the first match of a long text, and mark it there', () => {
    const long = `${'before\n'.repeat(100)}the tern ${'after tern '.repeat(100)}`;
    const shown = snippet(long, rangesOf(long, 'tern'));
    expect(marked(shown.text, shown.ranges)).toContain('the [tern] after [tern]');
    expect(shown.text.length).toBeLessThan(270);
    expect(snippet(long, []).text).toMatch(/^before before/);
  });

  it('show a match in the middle of one endless word', () => {
    const long = `${'x'.repeat(500)}tern${'y'.repeat(500)}`;
    const shown = snippet(long, rangesOf(long, 'tern'));
    expect(marked(shown.text, shown.ranges)).toMatch(/^…\[tern\]y/);
  });

  it('are the text itself when it is short', () => {
    expect(snippet('a\nb', [[2, 3]])).toEqual({ text: 'a b', ranges: [[2, 3]] });
  });
});
