import type { Arena, Region } from '../memory/arena.ts';

/**
 * Arrays with one entry per row, in kernel memory, that grow together: vectors, norms, codes. Each is a region of its own, so that a scan
 * over one of them touches nothing of the others.
 */
export class Columns {
  private readonly arena: Arena;
  private readonly rowBytes: readonly number[];
  private readonly regions: Region[];

  /** Over regions that are there. */
  constructor(arena: Arena, rowBytes: readonly number[], regions: Region[]) {
    this.arena = arena;
    this.rowBytes = rowBytes;
    this.regions = regions;
  }

  /** `rowBytes`: bytes of one entry of each column. Throws MEMORY_LIMIT and takes nothing. */
  static create(arena: Arena, rowBytes: readonly number[], capacity: number): Columns {
    const columns = new Columns(
      arena,
      rowBytes,
      rowBytes.map(() => ({ address: 0, bytes: 0 })),
    );
    columns.grow(capacity, 0);
    return columns;
  }

  get bytes(): number {
    return this.regions.reduce((sum, region) => sum + region.bytes, 0);
  }

  /** Rows that fit. */
  get capacity(): number {
    return Math.min(...this.regions.map((region, index) => Math.floor(region.bytes / this.rowBytes[index]!)));
  }

  address(column: number): number {
    return this.regions[column]!.address;
  }

  get addresses(): number[] {
    return this.regions.map(({ address }) => address);
  }

  /** Room for `capacity` rows, keeping the first `rows`: in place where what follows is free, else by copy. Throws MEMORY_LIMIT and changes nothing seen. */
  grow(capacity: number, rows: number): void {
    const moved: (Region | undefined)[] = [];
    try {
      this.regions.forEach((region, index) => {
        const bytes = capacity * this.rowBytes[index]!;
        moved.push(region.bytes > 0 && this.arena.extend(region, bytes) ? undefined : this.arena.allocate(bytes));
      });
    } catch (error) {
      for (const region of moved) if (region) this.arena.release(region);
      throw error;
    }
    moved.forEach((next, index) => {
      if (next) this.move(index, next, rows);
    });
  }

  free(): void {
    for (const region of this.regions) this.arena.release(region);
  }

  private move(index: number, next: Region, rows: number): void {
    const old = this.regions[index]!;
    this.arena.u8(next.address, next.bytes).set(this.arena.u8(old.address, rows * this.rowBytes[index]!));
    this.arena.release(old);
    this.regions[index] = next;
  }
}
