import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SCRIPT = `
  import { defineSchema, f } from '@terndb/client';
  import { openInNode } from '@terndb/client/testing';
  const db = await openInNode('x', defineSchema({ notes: { title: f.text() } }));
  await db.notes.put({ title: 'x' });
  console.log((await db.notes.count()).count);
  await db.close();
`;

it('a bare Node script ends by itself after close', async () => {
  const args = ['--conditions=@terndb/source', '--input-type=module', '--eval', SCRIPT];
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  // The limit is for hangs: without it a process that stays would be waited for for ever.
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, env: { ...process.env, NODE_OPTIONS: '' }, timeout: 60_000 });
  expect(stdout).toBe('1\n');
});
