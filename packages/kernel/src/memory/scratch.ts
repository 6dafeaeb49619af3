import type { Arena, Region } from './arena.ts';
import { alignUp } from './free-list.ts';

/** Kept between calls: a query of 2,048 floats, a bitmap of 100,000 rows and a thousand hits fit without asking the arena. */
const KEEP_BYTES = 65_536;

/**
 * Memory of one call: query, bitmap, hits. `begin` says how much, `take` cuts it up, `end` gives back what is more than usual.
 * Held from the start, so that a search still works when blocks have taken everything else.
 */
export class Scratch {
  private readonly arena: Arena;
  private region: Region;
  private used = 0;

  constructor(arena: Arena) {
    this.arena = arena;
    this.region = arena.allocate(KEEP_BYTES);
  }

  get bytes(): number {
    return this.region.bytes;
  }

  /** Room for `parts`, each of which is aligned on its own. Throws MEMORY_LIMIT. Views made before may be dead after it. */
  begin(parts: readonly number[]): void {
    this.used = 0;
    const wanted = parts.reduce((sum, bytes) => sum + alignUp(bytes), 0);
    if (this.region.bytes >= wanted || this.arena.extend(this.region, wanted)) return;
    const next = this.arena.allocate(wanted);
    this.arena.release(this.region);
    this.region = next;
  }

  take(bytes: number): number {
    const address = this.region.address + this.used;
    this.used += alignUp(bytes);
    if (this.used > this.region.bytes) throw new RangeError(`scratch: ${this.used} bytes taken of ${this.region.bytes} begun`);
    return address;
  }

  end(): void {
    if (this.region.bytes > KEEP_BYTES) this.arena.shrink(this.region, KEEP_BYTES);
  }
}
