import { describe, expect, it } from 'vitest';
import { parseCsv } from './csv.ts';
import { MAX_RECORD_CHARS } from './limits.ts';
import { parseText } from './test-tools.ts';

const read = (text: string, chunkChars = 5) => parseText(parseCsv, text, { fileName: 'notes.csv', chunkChars });

describe('CSV', () => {
  it('reads quoted cells with separators, quotes and line ends, wherever the chunks end', async () => {
    const text = 'title,body,topic\r\n"Tern, arctic","It said ""kee-arr"".\r\nTwice.",birds\r\nKite,A toy,play\r\n';
    for (const chunkChars of [1, 2, 11, 1000]) {
      const { passages, problems } = await read(text, chunkChars);
      expect(problems).toEqual([]);
      expect(passages.map(({ title, body, topic }) => [title, body, topic])).toEqual([
        ['Tern, arctic', 'It said "kee-arr".\nTwice.', 'birds'],
        ['Kite', 'A toy', 'play'],
      ]);
    }
  });

  it.each([';', '\t', '|'])('finds out that cells are separated by %j', async (separator) => {
    const { passages } = await read(`Title${separator}Text\na, b${separator}c`, 1000);
    expect(passages[0]).toMatchObject({ title: 'a, b', body: 'c', source: 'notes.csv' });
  });

  it('reports a wrong number of columns by the line in the file, counting lines inside quotes', async () => {
    const { passages, problems } = await read('title,body\n"a\nb",c\nlonely\nx,y,z\nd,e\n');
    expect(passages).toHaveLength(2);
    expect(problems).toMatchObject([
      { line: 4, reason: '2 columns expected, got 1', excerpt: 'lonely' },
      { line: 5, reason: '2 columns expected, got 3' },
    ]);
  });

  it('says so when no column can be a title or a body, once', async () => {
    const { passages, problems } = await read('price,stock\n1,2\n3,4\n');
    expect(passages).toEqual([]);
    expect(problems).toMatchObject([{ line: 1, excerpt: 'price, stock' }]);
  });

  it('reports a quote that is never closed and keeps what came before it', async () => {
    const { passages, problems } = await read('title,body\na,b\n"c,d\ne,f\n');
    expect(passages.map(({ title }) => title)).toEqual(['a']);
    expect(problems).toMatchObject([{ line: 3, reason: expect.stringContaining('never closed') }]);
  });

  it('does not collect a whole large file behind a quote that is never closed', async () => {
    const { problems } = await read(`title,body\n"c,d\n${'x\n'.repeat(MAX_RECORD_CHARS)}`, 65_536);
    expect(problems).toMatchObject([{ line: 2, reason: expect.stringContaining('is a quote not closed?') }]);
  });
});
