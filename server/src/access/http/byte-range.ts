export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * One range of RFC 9110 section 14: `bytes=0-99`, `bytes=100-`, `bytes=-100`. Undefined: the whole (also for several ranges, which a server may
 * ignore). `unsatisfiable`: it begins behind the end.
 */
export function byteRangeOf(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') {
    const length = Math.min(size, Number(match[2]));
    return length === 0 ? 'unsatisfiable' : { offset: size - length, length };
  }
  const offset = Number(match[1]);
  const last = match[2] === '' ? size - 1 : Math.min(size - 1, Number(match[2]));
  if (match[2] !== '' && Number(match[2]) < offset) return undefined;
  return offset >= size ? 'unsatisfiable' : { offset, length: last - offset + 1 };
}
