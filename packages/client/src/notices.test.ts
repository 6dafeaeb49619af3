import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

test('the notices name everything of others that the packed client holds, as it is installed', () => {
  // It ends with 1, and says so, where they would be others.
  execFileSync(process.execPath, [at('../../../scripts/write-notices.mjs'), '--check'], { stdio: 'pipe' });
  const notices = readFileSync(at('../THIRD_PARTY_NOTICES.txt'), 'utf8');
  for (const name of [
    'onnxruntime-web',
    '@huggingface/tokenizers',
    'hnswlib-wasm',
    '@orama/stemmers',
    '@noble/hashes',
    'idb',
    'WordNet',
    'Unicode',
  ])
    expect(notices, name).toContain(name);
  const { files } = JSON.parse(readFileSync(at('../package.json'), 'utf8')) as { files: string[] };
  expect(files).toContain('THIRD_PARTY_NOTICES.txt');
});
