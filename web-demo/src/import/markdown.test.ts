import { describe, expect, it } from 'vitest';
import { MAX_BODY_CHARS } from './limits.ts';
import { parseMarkdown } from './markdown.ts';
import { parseText } from './test-tools.ts';

const read = async (text: string) =>
  (await parseText(parseMarkdown, text, { fileName: 'field-notes.md' })).passages.map(({ title, body }) => [title, body]);

describe('Markdown', () => {
  it('makes a passage of every section, titled by its heading', async () => {
    expect(await read('Before.\n# Terns\n\nThey dive.\n\nTwice.\n## Empty\n## Gulls ##\nThey wait.\n')).toEqual([
      ['field-notes', 'Before.'],
      ['Terns', 'They dive.\n\nTwice.'],
      ['Gulls', 'They wait.'],
    ]);
  });

  it('takes no heading from a code block, and closes the block only by its own mark', async () => {
    expect(await read('# Code\n```sh\n# comment\n~~~\n# comment\n```\n# After\ntext')).toEqual([
      ['Code', '```sh\n# comment\n~~~\n# comment\n```'],
      ['After', 'text'],
    ]);
  });

  it('passes over front matter', async () => {
    expect(await read('---\ntitle: x\n---\n# A\nb')).toEqual([['A', 'b']]);
  });

  it('cuts a section that is too long between paragraphs and loses nothing', async () => {
    const paragraphs = Array.from({ length: 60 }, (_, i) => `${i} ${'word '.repeat(100).trim()}`);
    const passages = await read(`# Long\n${paragraphs.join('\n\n')}`);
    expect(passages.length).toBeGreaterThan(1);
    expect(passages.every(([, body]) => body!.length <= MAX_BODY_CHARS)).toBe(true);
    expect(passages.map(([, body]) => body).join('\n\n')).toBe(paragraphs.join('\n\n'));
  });
});
