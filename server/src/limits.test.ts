import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LANES } from './access/milvus/lanes.ts';
import { DEFAULT_NODE_LIMITS } from './node/limits.ts';

const SOURCES = fileURLToPath(new URL('.', import.meta.url));
const page = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8');

/** `access/milvus/lanes.ts MAX_BUCKETS` → 10000, of every bound of doors and node that has a name, as the sources say them. */
function defined(): Readonly<Record<string, number>> {
  const files = ['access', 'node'].flatMap((folder) =>
    readdirSync(join(SOURCES, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
  );
  const sources = files.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('/testing/'));
  const limits = sources.flatMap((name) => {
    const text = readFileSync(join(SOURCES, name), 'utf8');
    return [...text.matchAll(/^(?:export )?const (MAX_\w+)(?:: number)? = ([^;{]+);$/gm)].map(
      ([, constant, value]) => [`${name} ${constant!}`, productOf(value!)] as const,
    );
  });
  // What follows from others is theirs.
  return Object.fromEntries(limits.filter(([, value]) => !Number.isNaN(value)));
}

/** Numbers, products and powers. NaN for what says less. */
function productOf(text: string): number {
  return text.split(' * ').reduce((product, factor) => {
    const [base, exponent] = factor.replace(/ - 1$/, '').split(' ** ');
    const value = Number(base!.replaceAll('_', '')) ** Number(exponent ?? 1);
    return product * (factor.endsWith(' - 1') ? value - 1 : value);
  }, 1);
}

const documented = Object.fromEntries(
  [...page.matchAll(/^\| `([\w/.-]+\.ts)` \| `(MAX_\w+)` \| ([\d,]+) \|/gm)].map(([, file, constant, value]) => [
    `${file!} ${constant!}`,
    Number(value!.replaceAll(',', '')),
  ]),
);

describe('docs/limits.md', () => {
  it('lists every named bound of the server with its value, and no other', () => {
    expect(Object.keys(documented).length).toBeGreaterThan(40);
    expect(documented).toEqual(defined());
  });

  it('lists the bounds of a node as they are', () => {
    const listed = [...page.matchAll(/^\| `node\/limits\.ts` \| `([a-z]\w+)` \| ([\d,]+) \|/gm)].map(([, name, value]) => [
      name,
      Number(value!.replaceAll(',', '')),
    ]);
    expect(Object.fromEntries(listed)).toEqual(DEFAULT_NODE_LIMITS);
  });

  it('says how many requests each lane runs and lets wait', () => {
    for (const [name, { running, waiting }] of Object.entries(LANES))
      expect(page).toContain(`\`${name}\` ${running} and ${waiting.toLocaleString('en')}`);
  });
});
