import { describe, expect, it } from 'vitest';
import { parseFile } from './parse-file.ts';
import { collect } from './test-tools.ts';

async function* once(bytes: Uint8Array, size = 3): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a file', () => {
  it('is read by the ending of its name, with characters split between chunks', async () => {
    const { passages } = await collect(parseFile(once(utf8('{"title":"Küstenseeschwalbe"}')), { fileName: 'A.JSONL' }));
    expect(passages[0]!.title).toBe('Küstenseeschwalbe');
  });

  it('may begin with a byte-order mark, of UTF-16 too', async () => {
    const utf16 = new Uint8Array([0xff, 0xfe, ...Array.from('title\nTern', (c) => [c.charCodeAt(0), 0]).flat()]);
    expect((await collect(parseFile(once(utf16, 1000), { fileName: 'a.csv' }))).passages[0]!.title).toBe('Tern');
    expect((await collect(parseFile(once(utf8('\uFEFFtitle\nTern'), 1000), { fileName: 'a.csv' }))).passages[0]!.title).toBe('Tern');
  });

  it('is refused with one problem when it is not text or of an unknown kind', async () => {
    const picture = await collect(parseFile(once(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 1])), { fileName: 'picture.txt' }));
    expect(picture).toMatchObject({ passages: [], problems: [{ reason: 'this is not a text file' }] });
    const unknown = await collect(parseFile(once(utf8('x')), { fileName: 'paper.pdf' }));
    expect(unknown).toMatchObject({ passages: [], problems: [{ reason: expect.stringContaining('.jsonl') }] });
  });
});
