import { describe, expect, it } from 'vitest';
import { inBatches } from './batches.ts';
import { parseJsonl } from './jsonl.ts';
import { type ImportOptions, type ImportProgress, type ImportSource, MAX_PROBLEMS, reportText, runImport } from './run-import.ts';
import { inChunks } from './test-tools.ts';

const jsonl = (rows: number): string => Array.from({ length: rows }, (_, i) => JSON.stringify({ title: `t${i}` })).join('\n');

function sourceOf(name: string, text: string): ImportSource {
  let done = 0;
  async function* chunks(): AsyncGenerator<string> {
    for await (const chunk of inChunks(text, 1000)) {
      done += chunk.length;
      yield chunk;
    }
  }
  return { name, bytes: text.length, batches: inBatches(parseJsonl(chunks(), { fileName: name }), () => done) };
}

function setUp(overrides: Partial<ImportOptions> = {}): { written: string[]; progress: ImportProgress[]; options: ImportOptions } {
  const written: string[] = [];
  const progress: ImportProgress[] = [];
  let now = 0;
  const options: ImportOptions = {
    write: async (passages) => written.push(...passages.map(({ title }) => title)),
    signal: new AbortController().signal,
    onProgress: (step) => progress.push(step),
    nowMs: () => (now += 100),
    ...overrides,
  };
  return { written, progress, options };
}

describe('an import', () => {
  it('writes everything in order and in batches, and tells how far it is', async () => {
    const { written, progress, options } = setUp();
    const report = await runImport([sourceOf('a.jsonl', jsonl(1200)), sourceOf('b.jsonl', jsonl(3))], options);
    expect(report).toMatchObject({ imported: 1203, problemCount: 0, cancelled: false, failure: null, names: ['a.jsonl', 'b.jsonl'] });
    expect(written).toHaveLength(1203);
    expect(written[1199]).toBe('t1199');
    expect(progress.map(({ imported }) => imported)).toEqual([0, 500, 1000, 1200, 1200, 1203]);
    expect(progress.at(-1)).toMatchObject({ name: 'b.jsonl', doneBytes: progress.at(-1)!.totalBytes });
    expect(progress.at(-1)!.rowsPerSecond).toBeGreaterThan(0);
  });

  it('keeps what is in when it is cancelled, and says so', async () => {
    const abort = new AbortController();
    const { written, options } = setUp({ signal: abort.signal, onProgress: ({ imported }) => imported >= 500 && abort.abort() });
    const report = await runImport([sourceOf('a.jsonl', jsonl(5000)), sourceOf('b.jsonl', jsonl(3))], options);
    expect(report).toMatchObject({ imported: 500, cancelled: true, failure: null });
    expect(written).toHaveLength(500);
  });

  it('ends with the reason when the database refuses, and counts only what is durable', async () => {
    let calls = 0;
    const { options } = setUp({
      write: async () => {
        if (++calls === 2) throw new Error('STORAGE_FULL: no room');
      },
    });
    expect(await runImport([sourceOf('a.jsonl', jsonl(2000))], options)).toMatchObject({ imported: 500, failure: 'STORAGE_FULL: no room' });
  });

  it('reports problems by file and line, counts all of them and keeps a bounded number', async () => {
    const { options } = setUp();
    const report = await runImport([sourceOf('a.jsonl', 'x\n'.repeat(MAX_PROBLEMS + 5))], options);
    expect(report.problemCount).toBe(MAX_PROBLEMS + 5);
    expect(report.problems).toHaveLength(MAX_PROBLEMS);
    expect(reportText(report)).toMatch(/^file\tline\treason\ttext\na\.jsonl\t1\tnot JSON/);
    expect(reportText(report)).toContain('and 5 more');
  });
});
