const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const SIX_BITS: ReadonlyMap<string, number> = new Map([...ALPHABET].map((character, index) => [character, index]));

/** Base64 (RFC 4648, with padding) where neither DOM nor Node may be used. */
export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const left = Math.min(3, bytes.length - at);
    const word = (bytes[at]! << 16) | ((left > 1 ? bytes[at + 1]! : 0) << 8) | (left > 2 ? bytes[at + 2]! : 0);
    parts.push(
      ALPHABET[word >>> 18]!,
      ALPHABET[(word >>> 12) & 63]!,
      left > 1 ? ALPHABET[(word >>> 6) & 63]! : '=',
      left > 2 ? ALPHABET[word & 63]! : '=',
    );
  }
  return parts.join('');
}

/** Undefined when the text is not base64 with its padding. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let at = 0;
  for (let index = 0; index < text.length; index += 4) {
    let word = 0;
    for (let place = 0; place < 4; place++) {
      const isPadding = index + place >= text.length - padding;
      const bits = isPadding ? 0 : SIX_BITS.get(text[index + place]!);
      if (bits === undefined) return undefined;
      word = (word << 6) | bits;
    }
    for (let shift = 16; shift >= 0 && at < bytes.length; shift -= 8) bytes[at++] = (word >>> shift) & 255;
  }
  return bytes;
}
