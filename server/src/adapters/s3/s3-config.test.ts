import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readS3Config } from './s3-config.ts';

const SECRET = 'wJalrXUtnFEMI';
const env = {
  TERNDB_S3_ENDPOINT: 'https://s3.example:9000',
  TERNDB_S3_BUCKET: 'tern-objects',
  TERNDB_S3_ACCESS_KEY_ID: 'AKID',
  TERNDB_S3_SECRET_ACCESS_KEY: SECRET,
};

describe('the configuration of S3', () => {
  it('is read from its variables, with defaults for region and prefix', () => {
    const config = readS3Config({ ...env, OTHER: 'x' });
    expect(config).toMatchObject({ endpoint: 'https://s3.example:9000', region: 'us-east-1', bucket: 'tern-objects', prefix: '' });
    expect(config?.secretAccessKey.reveal()).toBe(SECRET);
    expect(readS3Config({ ...env, TERNDB_S3_PREFIX: 'a/b/', TERNDB_S3_REGION: 'eu-1' })).toMatchObject({ prefix: 'a/b/', region: 'eu-1' });
  });

  it('is absent when no variable is set', () => {
    expect(readS3Config({ PATH: '/bin', TERNDB_S3_BUCKET: '' })).toBeUndefined();
  });

  it.each([
    ['TERNDB_S3_ENDPOINT', ''],
    ['TERNDB_S3_ENDPOINT', 's3.example'],
    ['TERNDB_S3_ENDPOINT', 'ftp://s3.example'],
    ['TERNDB_S3_ENDPOINT', `https://user:${SECRET}@s3.example`],
    ['TERNDB_S3_ENDPOINT', 'https://s3.example/path'],
    ['TERNDB_S3_BUCKET', 'No_Bucket'],
    ['TERNDB_S3_BUCKET', ''],
    ['TERNDB_S3_REGION', 'eu west'],
    ['TERNDB_S3_ACCESS_KEY_ID', 'a b'],
    ['TERNDB_S3_SECRET_ACCESS_KEY', ''],
    ['TERNDB_S3_PREFIX', 'no-slash'],
    ['TERNDB_S3_PREFIX', '/leading/'],
    ['TERNDB_S3_PREFIX', 'a/../b/'],
    ['TERNDB_S3_BUKET', 'x'],
  ])('is refused by the name of the variable: %s=%j', (variable, value) => {
    const read = (): unknown => readS3Config({ ...env, [variable]: value });
    expect(read).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ variable }) }));
    try {
      read();
    } catch (error) {
      expect(inspect(error, { depth: 9 })).not.toContain(SECRET);
    }
  });

  it('shows the secret in no printed form', () => {
    const config = readS3Config(env)!;
    for (const shown of [inspect(config, { depth: 9, showHidden: true }), JSON.stringify(config), `${config.secretAccessKey}`]) {
      expect(shown).not.toContain(SECRET);
    }
    expect(JSON.parse(JSON.stringify(config))).toMatchObject({ secretAccessKey: '***', accessKeyId: 'AKID' });
  });
});
