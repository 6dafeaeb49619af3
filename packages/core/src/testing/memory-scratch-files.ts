import { assert } from '../errors/assert.ts';
import type { ScratchFile, ScratchFiles } from '../ports/scratch-files.ts';

/** For tests: says what is open and how much was read. */
export class MemoryScratchFiles implements ScratchFiles {
  /** Of open files together. */
  bytes = 0;
  reads = 0;

  async create(bytes: number): Promise<ScratchFile> {
    const file = new Uint8Array(bytes);
    let isFreed = false;
    const check = (at: number, length: number): void => {
      assert(!isFreed, 'scratch file: used after free');
      assert(at >= 0 && at + length <= bytes, () => `scratch file of ${bytes} bytes: ${length} at ${at}`);
    };
    this.bytes += bytes;
    return {
      write: (at, part) => {
        check(at, part.length);
        file.set(part, at);
      },
      read: (at, into) => {
        check(at, into.length);
        this.reads += 1;
        into.set(file.subarray(at, at + into.length));
      },
      free: () => {
        check(0, 0);
        isFreed = true;
        this.bytes -= bytes;
      },
    };
  }
}
