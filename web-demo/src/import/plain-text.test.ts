import { describe, expect, it } from 'vitest';
import { parsePlainText } from './plain-text.ts';
import { parseText } from './test-tools.ts';

const long = (word: string): string => `${word} `.repeat(40).trim();

describe('plain text', () => {
  it('makes a passage of every paragraph, and reads short ones together with the next', async () => {
    const text = `${long('alpha')}\n\n\nChapter Two\n\n${long('beta')}\n${long('gamma')}\n\nThe end.`;
    const { passages } = await parseText(parsePlainText, text, { fileName: 'shore/book.txt' });
    expect(passages.map(({ body }) => body)).toEqual([long('alpha'), `Chapter Two\n\n${long('beta')}\n${long('gamma')}`, 'The end.']);
    expect(passages[1]).toMatchObject({ title: 'Chapter Two', topic: 'book', source: 'shore/book.txt' });
  });

  it('reads nothing from an empty file', async () => {
    expect((await parseText(parsePlainText, '\n \n', { fileName: 'a.txt' })).passages).toEqual([]);
  });
});
