/** A file that is not text at all. */
export class NotTextError extends Error {}

const BOMS: readonly { readonly encoding: string; readonly bytes: readonly number[] }[] = [
  { encoding: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { encoding: 'utf-16le', bytes: [0xff, 0xfe] },
  { encoding: 'utf-16be', bytes: [0xfe, 0xff] },
];

/**
 * Bytes into text: by byte-order mark, else UTF-8. Bytes that are not UTF-8 become U+FFFD, which the row parsers report.
 * @throws NotTextError at a zero byte: an image or an archive would otherwise become thousands of problems.
 */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let decoder: TextDecoder | undefined;
  for await (const chunk of bytes) {
    decoder ??= new TextDecoder(BOMS.find((bom) => bom.bytes.every((byte, i) => chunk[i] === byte))?.encoding ?? 'utf-8');
    const text = decoder.decode(chunk, { stream: true });
    if (text.includes('\0')) throw new NotTextError('this is not a text file');
    yield text;
  }
  const rest = decoder?.decode() ?? '';
  if (rest !== '') yield rest;
}
