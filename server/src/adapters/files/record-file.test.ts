import { appendFile, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileMetaStore } from './file-meta-store.ts';
import { RecordFile } from './record-file.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a record file', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'terndb-record-'));
    path = join(folder, 'file');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = async (...texts: string[]): Promise<void> => {
    const { file } = await RecordFile.open(path);
    for (const text of texts) await file.append(bytes(text));
    await file.close();
  };
  const read = async (): Promise<string[]> => {
    const { file, records } = await RecordFile.open(path);
    await file.close();
    return records.map(({ payload }) => new TextDecoder().decode(payload));
  };

  it('loses only the last record when its end is cut anywhere, and goes on after it', async () => {
    await write('first', 'second', 'third');
    const whole = (await stat(path)).size;
    for (let cut = 1; cut < 8 + 'third'.length; cut++) {
      await rm(path);
      await write('first', 'second', 'third');
      await truncate(path, whole - cut);
      expect(await read()).toEqual(['first', 'second']);
      await write('fourth');
      expect(await read()).toEqual(['first', 'second', 'fourth']);
    }
  });

  it('cuts off an end of zeros and a last record with a wrong checksum', async () => {
    await write('first');
    const good = await readFile(path);
    await appendFile(path, new Uint8Array(100));
    expect(await read()).toEqual(['first']);
    expect((await stat(path)).size).toBe(good.length);
    await write('second');
    const flipped = await readFile(path);
    flipped[flipped.length - 1]! ^= 1;
    await writeFile(path, flipped);
    expect(await read()).toEqual(['first']);
  });

  it('refuses to drop acknowledged records behind a damaged one', async () => {
    await write('first', 'second');
    const handle = await open(path, 'r+');
    await handle.write(bytes('X'), 0, 1, 16 + 8);
    await handle.close();
    await expect(read()).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
  });

  it('refuses a file of another format, and one whose header is damaged', async () => {
    await writeFile(path, 'something else entirely');
    await expect(read()).rejects.toMatchObject({ code: 'FORMAT_INVALID' });
    await rm(path);
    await write('first');
    const handle = await open(path, 'r+');
    await handle.write(new Uint8Array([9]), 0, 1, 9);
    await handle.close();
    await expect(read()).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
  });

  it('of a meta store is rewritten when most of it is dead, and gives no revision twice', async () => {
    let store = await FileMetaStore.open(folder);
    let revision = 0;
    for (let i = 0; i < 1_100; i++) revision = (await store.compareAndSet('key', revision, bytes(String(i))))!;
    await store.close();
    const before = (await stat(join(folder, 'meta.rec'))).size;
    store = await FileMetaStore.open(folder);
    expect((await stat(join(folder, 'meta.rec'))).size).toBeLessThan(before / 100);
    expect(await store.get('key')).toEqual({ key: 'key', value: bytes('1099'), revision });
    expect(await store.delete('key', revision)).toBe(true);
    expect(await store.compareAndSet('key', 0, bytes('new'))).toBeGreaterThan(revision);
    await store.close();
  });
});
