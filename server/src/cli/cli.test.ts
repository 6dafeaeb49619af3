import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadJwtKeys, verifyJwt } from '../access/auth/jwt.ts';
import { TOKEN_READ, TOKEN_SCHEMA, TOKEN_WRITE } from '../access/auth/privileges.ts';
import { runCli } from './run-cli.ts';

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'terndb-cli-'));
});
afterEach(() => rm(data, { recursive: true }));

async function run(...argv: readonly string[]): Promise<{ code: number; out: string; error: string }> {
  const out: string[] = [];
  const error: string[] = [];
  const code = await runCli(argv, { env: { TERNDB_DATA: data }, out: (line) => out.push(line), error: (line) => error.push(line) });
  return { code, out: out.join('\n'), error: error.join('\n') };
}

describe('terndb', () => {
  it('explains itself', async () => {
    for (const argv of [[], ['help'], ['--help'], ['serve', '--help'], ['-h']]) {
      const { code, out } = await run(...argv);
      expect([code, out.includes('terndb serve'), out.includes('--port'), out.includes('--subject')]).toEqual([0, true, true, true]);
    }
  });

  it('says what is wrong with a command line, and ends with 1', async () => {
    const wrong: readonly (readonly [readonly string[], string])[] = [
      [['fly'], 'one of serve, config, token, help expected, got fly'],
      [['serve', 'x'], 'a flag that begins with -- expected, got x'],
      [['config', '--port', '1', '--port', '2'], 'each flag once expected'],
      [['config', '--config'], '--config: a file expected'],
      [['config', '--subject', 'x'], '--subject (command line): one of'],
      [['token', '--lifetime', '0'], '--lifetime: an integer from 1'],
      [['token', '--write'], '--write: a value expected'],
      [['serve', '--insecure', '--host', '0.0.0.0'], 'a loopback host expected, got 0.0.0.0'],
      [['serve', '--roles', 'access'], 'roles (without a cluster)'],
    ];
    for (const [argv, message] of wrong) {
      const { code, out, error } = await run(...argv);
      expect([code, out]).toEqual([1, '']);
      expect(error).toContain('OPTION_INVALID: ');
      expect(error).toContain(message);
    }
  });

  it('config prints what serve would use, without secrets', async () => {
    const file = join(data, 'terndb.json');
    await writeFile(file, JSON.stringify({ rootPassword: 'open sesame', port: 7 }));
    const { code, out } = await run('config', '--config', file, '--log-level=warn');
    expect([code, out.includes('open sesame')]).toEqual([0, false]);
    expect(JSON.parse(out)).toMatchObject({ rootPassword: '***', port: 7, log: { level: 'warn' }, data });
  });

  it('token prints a token that this data folder accepts, for what was asked', async () => {
    const { code, out } = await run('token', '--subject', 'ann', '--write', 'team:*, news', '--read', 'x', '--schema', '--lifetime', '60');
    expect(code).toBe(0);
    const { jwtSecret } = JSON.parse(await readFile(join(data, 'secrets.json'), 'utf8')) as { jwtSecret: string };
    const keys = await loadJwtKeys({}, jwtSecret);
    const { iat = 0, exp = 0 } = decodeJwt(out);
    expect(exp - iat).toBe(60);
    expect(await verifyJwt(keys, out, Date.now())).toMatchObject({
      subject: 'ann',
      database: 'default',
      grants: [
        { privileges: TOKEN_READ, database: 'default', collection: '*', partition: 'x' },
        { privileges: TOKEN_WRITE, database: 'default', collection: '*', partition: 'team:*' },
        { privileges: TOKEN_WRITE, database: 'default', collection: '*', partition: 'news' },
        { privileges: TOKEN_SCHEMA, database: 'default', collection: '*', partition: '*' },
      ],
    });
    expect((await stat(join(data, 'secrets.json'))).mode & 0o777).toBe(0o600);
    expect((await run('token', '--subject', 'bob')).out).not.toBe(out);
  });
});
