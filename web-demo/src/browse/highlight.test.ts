import { describe, expect, it } from 'vitest';
import { highlight, snippet, wordsOf } from './highlight.ts';

const marked = (text: string, question: string): string =>
  highlight(text, wordsOf(question))
    .map((part) => (part.marked ? `[${part.text}]` : part.text))
    .join('');

describe('highlights', () => {
  it('mark whole words, and the last one where a word begins with it', () => {
    expect(marked('The Arctic tern turns; terns return.', 'arctic ter')).toBe('The [Arctic] [ter]n turns; [ter]ns return.');
    expect(marked('art arts', 'art x')).toBe('[art] arts');
  });

  it('do not mark inside a word, and take marks of a pattern as text', () => {
    expect(marked('eastern (tern)', 'tern')).toBe('eastern ([tern])');
    expect(marked('a.b*c', '.*')).toBe('a.b*c');
  });

  it('keep the text whole', () => {
    const text = 'Größe zählt – die größte Größe.';
    expect(
      highlight(text, wordsOf('größe gr'))
        .map((part) => part.text)
        .join(''),
    ).toBe(text);
  });
});

describe('snippets', () => {
  it('show the first match of a long text', () => {
    const long = `${'before '.repeat(100)}the tern ${'after '.repeat(100)}`;
    const shown = snippet(long, wordsOf('tern'));
    expect(shown).toContain('the tern');
    expect(shown.length).toBeLessThan(270);
    expect(snippet(long, [])).toMatch(/^before/);
  });

  it('are the text itself when it is short', () => {
    expect(snippet(' a\n b ', ['b'])).toBe('a b');
  });
});
