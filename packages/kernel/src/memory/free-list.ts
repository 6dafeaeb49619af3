/**
 * The memory map of the kernel: which address ranges are free. First fit, neighbours merged on release.
 *
 * It lives outside the memory that it manages: a kernel bug can spoil vectors but not the map, and no header sits between two ranges.
 * There are some tens of ranges (a few per block), so a sorted array is faster than any cleverer structure. Addresses are plain numbers
 * up to 4 GiB; ranges are multiples of `ALIGNMENT`.
 */
export const ALIGNMENT = 64;

interface Range {
  start: number;
  end: number;
}

export const alignUp = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

export class FreeList {
  /** Ascending, disjoint, never touching each other. */
  private readonly ranges: Range[] = [];

  /** Address of `bytes` (aligned) bytes, or undefined when no range is long enough. */
  take(bytes: number): number | undefined {
    const index = this.ranges.findIndex((range) => range.end - range.start >= bytes);
    return index < 0 ? undefined : this.cut(index, bytes);
  }

  /** Takes exactly `[start, start + bytes)` if all of it is free: how a block grows in place. */
  takeAt(start: number, bytes: number): boolean {
    const index = this.ranges.findIndex((range) => range.start === start && range.end - start >= bytes);
    if (index < 0) return false;
    this.cut(index, bytes);
    return true;
  }

  /** Gives `[start, start + bytes)` back, or adds it for the first time. */
  release(start: number, bytes: number): void {
    if (bytes === 0) return;
    const end = start + bytes;
    const found = this.ranges.findIndex((range) => range.start >= start);
    const index = found < 0 ? this.ranges.length : found;
    const before = this.ranges[index - 1];
    const after = this.ranges[index];
    if ((before && before.end > start) || (after && after.start < end)) throw new Error(`range ${start}..${end} is already free`);
    const joinsBefore = before?.end === start;
    const joinsAfter = after?.start === end;
    if (joinsBefore && joinsAfter) {
      before.end = after.end;
      this.ranges.splice(index, 1);
    } else if (joinsBefore) before.end = end;
    else if (joinsAfter) after.start = start;
    else this.ranges.splice(index, 0, { start, end });
  }

  /** Length of the free range that ends at `end`: what a growth of the memory there would add to. */
  endingAt(end: number): number {
    const last = this.ranges.at(-1);
    return last?.end === end ? last.end - last.start : 0;
  }

  /** All free bytes. */
  get freeBytes(): number {
    return this.ranges.reduce((sum, range) => sum + range.end - range.start, 0);
  }

  private cut(index: number, bytes: number): number {
    const range = this.ranges[index]!;
    const start = range.start;
    range.start += bytes;
    if (range.start === range.end) this.ranges.splice(index, 1);
    return start;
  }
}
