import fc from 'fast-check';

/** Ways in which stored bytes go wrong. `headerWords`: a part of them, hit more often. */
export type Damage =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number; readonly times: number }
  | { readonly kind: 'word'; readonly at: number; readonly value: number }
  | { readonly kind: 'header'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'splice'; readonly at: number; readonly from: number; readonly length: number };

const values = fc.oneof(fc.nat(200), fc.constantFrom(0xffffffff, 0x7fffffff, 0x80000000));

export function damages(headerWords: number): fc.Arbitrary<Damage> {
  return fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(7), times: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('word' as const), at: fc.nat(), value: values }),
    fc.record({ kind: fc.constant('header' as const), at: fc.nat(headerWords - 1), value: values }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('splice' as const), at: fc.nat(), from: fc.nat(), length: fc.nat(300) }),
  );
}

/** A damaged copy; `other` is where a splice takes its piece from. Lengths are multiples of four. */
export function damaged(bytes: Uint8Array, other: Uint8Array, how: Damage): Uint8Array<ArrayBuffer> {
  const out = bytes.slice();
  const words = new Uint32Array(out.buffer);
  if (how.kind === 'flip') for (let time = 0; time < how.times; time++) out[(how.at * (time + 1)) % out.length]! ^= 1 << how.bit;
  else if (how.kind === 'word') words[how.at % words.length] = how.value;
  else if (how.kind === 'header') words[how.at] = how.value;
  else if (how.kind === 'cut') return out.slice(0, how.at % out.length);
  else {
    const piece = other.subarray(how.from % other.length, (how.from % other.length) + how.length);
    const at = how.at % out.length;
    out.set(piece.subarray(0, out.length - at), at);
  }
  return out;
}
