/**
 * Writing together: what each figure is, and how it is taken, says the head of its file in `together/`, and docs/benchmarks/together.md.
 * BENCH_PARTS=NAME,NAME takes some of them.
 */
import { crowd } from './together/crowd.ts';
import { keystrokes } from './together/keystrokes.ts';
import { largeDocument } from './together/large-document.ts';
import { screens } from './together/screens.ts';

const PARTS: Readonly<Record<string, () => Promise<void>>> = { keystrokes, screens, 'large-document': largeDocument, crowd };

const wanted = process.env['BENCH_PARTS']?.split(',') ?? Object.keys(PARTS);
for (const name of wanted) {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`no part named ${name}; there are: ${Object.keys(PARTS).join(', ')}`);
  await part();
}
// A whole client in Node leaves its ports open, which would keep this process.
process.exit(0);
