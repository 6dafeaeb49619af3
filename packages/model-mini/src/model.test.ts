import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MODEL_DIM, MODEL_FOLDER } from './index.ts';

const MAX_MODEL_BYTES = 8_000_000;
const folder = fileURLToPath(MODEL_FOLDER);
const read = (path: string) => readFileSync(join(folder, path));
const json = (path: string) => JSON.parse(read(path).toString()) as Record<string, any>;
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => statSync(join(folder, path)).isFile());

describe('the shipped model', () => {
  it('is what its manifest says, byte for byte, and nothing else', () => {
    const listed = json('manifest.json')['files'] as Record<string, { bytes: number; sha256: string }>;
    expect(files.filter((path) => path !== 'manifest.json').sort()).toEqual(Object.keys(listed).sort());
    for (const [path, { bytes, sha256 }] of Object.entries(listed)) {
      const data = read(path);
      expect(data.length, path).toBe(bytes);
      expect(createHash('sha256').update(data).digest('hex'), path).toBe(sha256);
    }
  });

  it('is at most 8 MB', () => {
    const total = files.reduce((sum, path) => sum + read(path).length, 0);
    expect(total).toBeGreaterThan(1_000_000);
    expect(total).toBeLessThanOrEqual(MAX_MODEL_BYTES);
  });

  it('has one width and one vocabulary in all its files', () => {
    const config = json('config.json');
    const { model, added_tokens: added } = json('tokenizer.json');
    const ids = Object.values(model.vocab as Record<string, number>).sort((a, b) => a - b);
    expect([config['hidden_size'], json('1_Pooling/config.json')['word_embedding_dimension'], json('manifest.json')['dim']]).toEqual([
      MODEL_DIM,
      MODEL_DIM,
      MODEL_DIM,
    ]);
    expect(ids).toEqual(ids.map((_, index) => index));
    expect(ids).toHaveLength(config['vocab_size']);
    for (const { id, content } of added as { id: number; content: string }[]) expect(model.vocab[content]).toBe(id);
  });

  it('comes with the licence of what it was trained from', () => {
    expect(readFileSync(new URL('../LICENSE', MODEL_FOLDER), 'utf8')).toContain('WordNet 3.0 Copyright 2006 by Princeton University');
  });
});
