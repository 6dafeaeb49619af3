import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KernelError } from '../errors.ts';
import { homeOf } from '../kernel.ts';
import type { Kernel } from '../types.ts';
import { BUILDS, freshKernel } from './builds.ts';
import { damaged, damages } from './damage.ts';
import { propertyRuns } from './seed.ts';

/** A kind of index whose saved bytes are damaged. */
export interface DamagedKind<Index> {
  readonly name: string;
  /** Its header, and where its checksum lies and begins. */
  readonly header: { readonly bytes: number; readonly checksumAt: number; readonly checkedFrom: number };
  /** Bytes of several whole indexes; leaves nothing in the kernel. */
  savedBy(kernel: Kernel): Uint8Array<ArrayBuffer>[];
  open(kernel: Kernel, bytes: Uint8Array): Index;
  /** Uses an index that opened in every way, expects what holds of any, and frees it. */
  use(kernel: Kernel, index: Index): void;
}

/** What holds of the saved bytes of every kind of index: no damage is opened, and what is opened reads nothing out of range. */
export function describeDamage<Index>(kind: DamagedKind<Index>): void {
  const { name, header, savedBy } = kind;
  const damage = damages(header.bytes / 4);

  describe.each(BUILDS)(`damaged bytes of a ${name} (%s)`, { timeout: 240_000 }, (build) => {
    test('are refused as INDEX_CORRUPT when any byte differs', async () => {
      const kernel = await freshKernel(build);
      const saved = savedBy(kernel);
      for (const bytes of saved) expect(opensAndWorks(kind, kernel, bytes)).toBe(true);
      fc.assert(
        fc.property(fc.nat(saved.length - 1), fc.nat(saved.length - 1), damage, (which, other, how) => {
          const bytes = damaged(saved[which]!, saved[other]!, how);
          fc.pre(!Buffer.from(bytes).equals(saved[which]!));
          expect(opensAndWorks(kind, kernel, bytes)).toBe(false);
        }),
        propertyRuns(1500),
      );
      expect(kernel.usedBytes).toBe(0);
    });

    test('with a right checksum are refused or searched without reading out of range', async () => {
      const kernel = await freshKernel(build);
      const saved = savedBy(kernel);
      let [opened, refused] = [0, 0];
      fc.assert(
        fc.property(fc.nat(saved.length - 1), fc.nat(saved.length - 1), damage, (which, other, how) => {
          const bytes = withChecksum(kernel, header, damaged(saved[which]!, saved[other]!, how));
          if (opensAndWorks(kind, kernel, bytes)) opened++;
          else refused++;
        }),
        propertyRuns(3000),
      );
      expect(opened).toBeGreaterThan(50);
      expect(refused).toBeGreaterThan(200);
      expect(kernel.usedBytes).toBe(0);
    });

    test('are found whichever byte it is', async () => {
      const kernel = await freshKernel(build);
      const bytes = savedBy(kernel)[0]!;
      for (let byte = 0; byte < bytes.length; byte++) {
        const changed = bytes.slice();
        changed[byte]! ^= 0x10;
        expect(opensAndWorks(kind, kernel, changed), `byte ${byte}`).toBe(false);
      }
    });
  });
}

/** False: refused, as damage is to be. */
function opensAndWorks<Index>(kind: DamagedKind<Index>, kernel: Kernel, bytes: Uint8Array): boolean {
  let index: Index;
  try {
    index = kind.open(kernel, bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(KernelError);
    expect((error as KernelError).code).toBe('INDEX_CORRUPT');
    return false;
  }
  kind.use(kernel, index);
  return true;
}

/** As a writer of wrong bytes would: with the right checksum. */
function withChecksum(kernel: Kernel, header: DamagedKind<unknown>['header'], bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length < header.bytes) return bytes;
  const { arena, wasm } = homeOf(kernel);
  const region = arena.allocate(bytes.length);
  const inside = arena.u8(region.address, bytes.length);
  inside.set(bytes);
  wasm.writeChecksum(region.address + header.checkedFrom, bytes.length - header.checkedFrom, region.address + header.checksumAt);
  const out = inside.slice();
  arena.release(region);
  return out;
}
