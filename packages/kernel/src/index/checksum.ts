import type { BlockHome } from '../block/home.ts';
import type { KernelError } from '../errors.ts';

/** Compares the XXH64 of a range in kernel memory, from `from` on, with the 8 bytes at `at`; throws what `corrupt` makes. */
export function mustMatchChecksum(
  { arena, wasm, scratch }: BlockHome,
  range: { readonly address: number; readonly length: number; readonly from: number; readonly at: number },
  corrupt: (what: string, details: Record<string, unknown>) => KernelError,
): void {
  scratch.begin([8]);
  const sum = scratch.take(8);
  wasm.writeChecksum(range.address + range.from, range.length - range.from, sum);
  const [got, expected] = [arena.u32(sum, 2).slice(), arena.u32(range.address + range.at, 2)];
  if (got[0] === expected[0] && got[1] === expected[1]) return;
  throw corrupt(`checksum ${hex(expected)} expected, got ${hex(got)}`, { expected: hex(expected), got: hex(got) });
}

const hex = (words: Uint32Array): string => [words[1]!, words[0]!].map((word) => word.toString(16).padStart(8, '0')).join('');
