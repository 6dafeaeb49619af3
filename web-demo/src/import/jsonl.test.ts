import { describe, expect, it } from 'vitest';
import { parseJsonl } from './jsonl.ts';
import { MAX_RECORD_CHARS, VECTOR_DIM } from './limits.ts';
import { parseText } from './test-tools.ts';

const read = (text: string, chunkChars = 7) => parseText(parseJsonl, text, { fileName: 'notes.jsonl', chunkChars });

describe('JSONL', () => {
  it('reads one passage per line, wherever the chunks end', async () => {
    const text = '{"title":"Tern","body":"A bird."}\r\n\n{"name":"Kite","text":"A toy.","tag":"play","rating":"4"}';
    for (const chunkChars of [1, 3, 1000]) {
      const { passages, problems } = await read(text, chunkChars);
      expect(problems).toEqual([]);
      expect(passages.map(({ title, body, topic, stars }) => [title, body, topic, stars])).toEqual([
        ['Tern', 'A bird.', 'notes', 0],
        ['Kite', 'A toy.', 'play', 4],
      ]);
    }
  });

  it('keeps key, source, date and vector', async () => {
    const vec = Array.from({ length: VECTOR_DIM }, (_, i) => i / 100);
    const { passages } = await read(JSON.stringify({ id: 'k1', title: 't', source: 's', added: '2020-01-02T03:04:05Z', vec }));
    expect(passages[0]).toMatchObject({ id: 'k1', source: 's', addedMs: Date.UTC(2020, 0, 2, 3, 4, 5), vec });
  });

  it('titles a passage without a title by its first words', async () => {
    const { passages } = await read(JSON.stringify({ body: `${'word '.repeat(40)}` }));
    expect(passages[0]!.title).toMatch(/^word .*word…$/);
    expect(passages[0]!.title.length).toBeLessThanOrEqual(61);
  });

  it('reports each broken row with its line and the reason, and reads the others', async () => {
    const rows = [
      '{"title":"good"}',
      '{"title":',
      '[1]',
      '{"body":7.5}',
      '{"stars":3}',
      '{"title":"x","stars":9}',
      '{"title":"x","vec":[1,2]}',
      '{"title":{}}',
      '{"title":"x","added":"soon"}',
    ];
    const { passages, problems } = await read(rows.join('\n'));
    expect(passages.map(({ title }) => title)).toEqual(['good', '7.5']);
    expect(problems.map(({ line }) => line)).toEqual([2, 3, 5, 6, 7, 8, 9]);
    expect(problems.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('not JSON'),
      'a JSON object expected',
      expect.stringContaining('neither a title nor a body'),
      'stars: a number from 0 to 5 expected, got 9',
      `vec: ${VECTOR_DIM} numbers expected, got 2`,
      'title: text expected, got an object',
      'added: a date expected, got "soon"',
    ]);
  });

  it('reports a line that never ends without keeping it, and goes on after it', async () => {
    const { passages, problems } = await read(`{"title":"${'x'.repeat(MAX_RECORD_CHARS)}"}\n{"title":"next"}`, 65_536);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ line: 1, reason: expect.stringContaining('at most') });
    expect(problems[0]!.excerpt.length).toBeLessThan(200);
    expect(passages.map(({ title }) => title)).toEqual(['next']);
  });

  it('reports text that is not UTF-8', async () => {
    const { problems } = await read('{"title":"caf\uFFFD"}');
    expect(problems[0]!.reason).toContain('not UTF-8');
  });
});
