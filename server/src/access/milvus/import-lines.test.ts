import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesOf } from './import-lines.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-lines-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: string, maxBytes?: number): Promise<string[]> {
  const path = join(folder, 'rows.jsonl');
  await writeFile(path, content);
  const lines: string[] = [];
  for await (const line of linesOf(path, maxBytes)) lines.push(line);
  return lines;
}

describe('lines of an import', () => {
  it('are told apart by any newline, the last one with or without, empty ones too', async () => {
    expect(await read('a\r\nb\n\né\u{1f426}')).toEqual(['a', 'b', '', 'é\u{1f426}']);
    expect(await read('a\n')).toEqual(['a']);
    expect(await read('')).toEqual([]);
  });

  it('may lie across reads of the file, letters too', async () => {
    const lines = Array.from({ length: 40 }, (_, index) => 'é'.repeat(index * 251));
    expect(await read(lines.join('\n'))).toEqual(lines);
  });

  it('are bounded: a longer one is refused by its number, before it is in memory', async () => {
    expect(await read('1234\n123', 4)).toEqual(['1234', '123']);
    await expect(read(`1234\n12345\n`, 4)).rejects.toMatchObject({
      code: 'ENTITY_TOO_LARGE',
      message: 'line 2: at most 4 bytes expected, got more',
      details: { line: 2, limit: 4 },
    });
    await expect(read('x'.repeat(300_000), 100_000)).rejects.toMatchObject({ details: { line: 1 } });
  });
});
