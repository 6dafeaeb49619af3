import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readConfig } from './config/read-config.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const FLAGS = /--(?:max-semi-space-size|wasm-wrapper-tiering-budget)=\d+/g;

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');

  it('copies what exists', () => {
    const copies = lines.filter((line) => line.startsWith('COPY ') && !line.includes('--from='));
    const sources = copies.flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(sources).toContain('server');
    for (const source of sources) expect([source, existsSync(join(root, source))]).toEqual([source, true]);
  });

  it('copies the files of every workspace that the lock file names', () => {
    const { workspaces } = JSON.parse(read('package.json')) as { readonly workspaces: readonly string[] };
    const text = lines.join('\n');
    for (const workspace of workspaces) expect(text).toContain(`COPY ${workspace.replace('/*', '')}`);
  });

  it('runs as nobody special, with a health check, and with settings that the server takes', () => {
    expect(lines).toContain('USER node');
    expect(lines.some((line) => line.startsWith('HEALTHCHECK '))).toBe(true);
    const command = JSON.parse(lines.find((line) => line.startsWith('CMD '))!.slice(4)) as string[];
    expect(command[0]).toBe('serve');
    expect(readConfig({ env: {}, flags: flagsOf(command.slice(1)) })).toMatchObject({ host: '0.0.0.0', port: 19_530, data: '/data' });
  });
});

describe('the systemd unit', () => {
  const unit = read('deploy/terndb.service');

  it('starts the server with settings that it takes', () => {
    const command = /^ExecStart=(.*)$/m.exec(unit)![1]!.split(' ');
    expect(existsSync(join(root, command.find((word) => word.endsWith('main.ts'))!))).toBe(true);
    const flags = flagsOf(command.slice(command.indexOf('serve') + 1));
    expect(readConfig({ env: {}, flags })).toMatchObject({ host: '127.0.0.1', data: '/var/lib/terndb' });
  });

  it('is one that systemd understands', ({ skip }) => {
    const probe = spawnSync('systemd-analyze', ['--version']);
    if (probe.error !== undefined) skip('systemd-analyze is not installed');
    const folder = mkdtempSync(join(tmpdir(), 'terndb-unit-'));
    try {
      // It looks for the program, the folder and the user of the machine that it will run on.
      const here = unit
        .replaceAll('/usr/bin/node', process.execPath)
        .replaceAll('/opt/terndb', root)
        .replace(/^(User|Group)=.*$/gm, '$1=root');
      writeFileSync(join(folder, 'terndb.service'), here);
      const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(folder, 'terndb.service')], { encoding: 'utf8' });
      const ours = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('terndb.service'));
      expect(ours).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

it('Node is given the same flags wherever a server is started', () => {
  const flags = ['Dockerfile', 'deploy/terndb.service', 'scripts/lib/server.mjs'].map((path) => read(path).match(FLAGS));
  expect(flags[0]).toHaveLength(2);
  expect(flags[1]).toEqual(flags[0]);
  expect(flags[2]).toEqual(flags[0]);
});

it('docs/operations.md and docs/change-feed.md name metrics that there are', () => {
  const sources = ['server/src/access/metrics.ts'].map(read).join('\n');
  const named = new Set(['docs/operations.md', 'docs/change-feed.md'].flatMap((page) => read(page).match(/terndb_[a-z_]+/g) ?? []));
  expect(named.size).toBeGreaterThan(10);
  for (const name of named) expect(sources).toContain(`'${name.replace(/_count$/, '')}'`);
});

function flagsOf(words: readonly string[]): Record<string, string> {
  const flags: Record<string, string> = {};
  for (let at = 0; at < words.length; at += 2) flags[words[at]!.replace(/^--/, '')] = words[at + 1]!;
  return flags;
}
