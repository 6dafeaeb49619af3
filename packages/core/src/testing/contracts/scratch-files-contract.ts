import type { ScratchFiles } from '../../ports/scratch-files.ts';
import { type ContractApi, type MakeSubject, patternBytes, sameBytes, withSubject } from './contract.ts';

const BYTES = 300_000;

/** What all scratch files promise: bytes come back from where they were written, files do not touch each other. */
export function scratchFilesContract(name: string, make: MakeSubject<ScratchFiles>, { describe, it, expect }: ContractApi): void {
  const read = (file: { read(at: number, into: Uint8Array): void }, at: number, length: number): Uint8Array => {
    const into = new Uint8Array(length);
    file.read(at, into);
    return into;
  };

  describe(`scratch files: ${name}`, () => {
    it(
      'give back what was written, from anywhere and in any order',
      withSubject(make, async ({ store }) => {
        const file = await store.create(BYTES);
        const bytes = patternBytes(BYTES, 1);
        for (const at of [100_000, 0, 200_000]) file.write(at, bytes.subarray(at, at + 100_000));
        expect(sameBytes(read(file, 0, BYTES), bytes)).toBe(true);
        for (const [at, length] of [
          [0, 1],
          [99_990, 20],
          [BYTES - 1, 1],
          [BYTES, 0],
        ] as const)
          expect(read(file, at, length)).toEqual(bytes.slice(at, at + length));
        file.free();
      }),
    );

    it(
      'copy what is written, and fill a part of a larger buffer and no more',
      withSubject(make, async ({ store }) => {
        const file = await store.create(8);
        const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
        file.write(0, bytes);
        bytes.fill(9);
        const into = new Uint8Array(6);
        file.read(3, into.subarray(2, 4));
        expect([...into]).toEqual([0, 0, 4, 5, 0, 0]);
        file.free();
      }),
    );

    it(
      'are zero where nothing was written',
      withSubject(make, async ({ store }) => {
        const file = await store.create(BYTES);
        file.write(10, Uint8Array.of(1));
        expect(read(file, 0, BYTES).reduce((sum, byte) => sum + byte, 0)).toBe(1);
        file.free();
      }),
    );

    it(
      'do not touch each other, and one can go while others stay',
      withSubject(make, async ({ store }) => {
        const files = await Promise.all([1, 2, 3].map(() => store.create(1_000)));
        for (const [seed, file] of files.entries()) file.write(0, patternBytes(1_000, seed));
        files[1]!.free();
        const again = await store.create(1_000);
        again.write(0, patternBytes(1_000, 7));
        for (const [seed, file] of files.entries())
          if (seed !== 1) expect(sameBytes(read(file, 0, 1_000), patternBytes(1_000, seed))).toBe(true);
        for (const file of [files[0]!, files[2]!, again]) file.free();
      }),
    );

    it(
      'begin anew when they are opened again',
      withSubject(make, async ({ store, reopen }) => {
        const left = await store.create(10);
        left.write(0, patternBytes(10, 1));
        const file = await (await reopen()).create(10);
        expect([...read(file, 0, 10)]).toEqual(Array.from({ length: 10 }, () => 0));
        file.free();
        left.free();
      }),
    );
  });
}
