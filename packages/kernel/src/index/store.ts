import type { BlockHome } from '../block/home.ts';
import type { Region } from '../memory/arena.ts';
import { HEADER_BYTES, type Layout, layoutOf, SECTIONS, type Shape, unitBytes, unitCount, WORD, writeHeader } from './layout.ts';

/** An index that lies in memory already. */
export interface LyingGraph {
  readonly shape: Shape;
  readonly address: number;
  readonly capacity: number;
  readonly rows: number;
}

/** The bytes of one index in kernel memory: header and sections, with room for `capacity` rows. */
export class GraphStore {
  readonly shape: Shape;
  private readonly home: BlockHome;
  private readonly region: Region;
  private room: number;
  private held: Layout;

  private constructor(home: BlockHome, shape: Shape, place: { region: Region; capacity: number; layout: Layout }) {
    this.home = home;
    this.shape = shape;
    this.region = place.region;
    this.room = place.capacity;
    this.held = place.layout;
  }

  /** Throws MEMORY_LIMIT. */
  static create(home: BlockHome, shape: Shape, capacity: number): GraphStore {
    const layout = layoutOf(shape, capacity, home.wasm.upperLists(shape.seed, shape.m, 0, capacity));
    const region = home.arena.allocate(layout.bytes);
    writeHeader(home.arena.u32(region.address, HEADER_BYTES / 4), shape);
    return new GraphStore(home, shape, { region, capacity, layout });
  }

  /** Saved bytes, copied as they are. Throws MEMORY_LIMIT. */
  static copy(home: BlockHome, bytes: Uint8Array, header: { shape: Shape; rows: number; layout: Layout }): GraphStore {
    const region = home.arena.allocate(bytes.length);
    home.arena.u8(region.address, bytes.length).set(bytes);
    return new GraphStore(home, header.shape, { region, capacity: header.rows, layout: header.layout });
  }

  /** The bytes of somebody else's index, which are read and never freed here. */
  static attach(home: BlockHome, { shape, address, capacity }: LyingGraph): GraphStore {
    const layout = layoutOf(shape, capacity, home.wasm.upperLists(shape.seed, shape.m, 0, capacity));
    return new GraphStore(home, shape, { region: { address, bytes: 0 }, capacity, layout });
  }

  get address(): number {
    return this.region.address;
  }

  get bytes(): number {
    return this.region.bytes;
  }

  get capacity(): number {
    return this.room;
  }

  get layout(): Layout {
    return this.held;
  }

  get rows(): number {
    return this.word(WORD.rows);
  }

  get usedBytes(): number {
    return layoutOf(this.shape, this.rows, this.word(WORD.lists)).bytes;
  }

  word(index: number): number {
    return this.home.arena.u32(this.region.address, HEADER_BYTES / 4)[index]!;
  }

  setWord(index: number, value: number): void {
    this.home.arena.u32(this.region.address, HEADER_BYTES / 4)[index] = value;
  }

  /** Counts rows whose bytes come next. */
  setRows(rows: number): void {
    const { seed, m } = this.shape;
    const before = this.rows;
    this.setWord(WORD.lists, this.word(WORD.lists) + this.home.wasm.upperLists(seed, m, before, rows));
    this.setWord(WORD.rows, rows);
  }

  /** Room for `rows`: doubles; near the limit takes only what is needed. Throws MEMORY_LIMIT and changes nothing. */
  grow(rows: number): void {
    const doubled = Math.max(rows, this.room * 2);
    try {
      this.resize(doubled);
    } catch (error) {
      if (doubled === rows) throw error;
      this.resize(rows);
    }
  }

  /** Room for exactly `capacity` rows, not fewer than there are. Throws MEMORY_LIMIT and changes nothing. */
  resize(capacity: number): void {
    const { home, region, shape } = this;
    const { arena } = home;
    const next = layoutOf(shape, capacity, home.wasm.upperLists(shape.seed, shape.m, 0, capacity));
    if (next.bytes > region.bytes && !arena.extend(region, next.bytes)) {
      const moved = arena.allocate(next.bytes);
      arena.u8(moved.address, region.bytes).set(arena.u8(region.address, region.bytes));
      arena.release(region);
      Object.assign(region, moved);
    }
    this.moveSections(next);
    this.room = capacity;
    this.held = next;
    if (next.bytes < region.bytes) arena.shrink(region, next.bytes);
  }

  free(): void {
    this.home.arena.release(this.region);
  }

  /** Sections move apart from the last on, or together from the first on, so that none is overwritten before it has moved. */
  private moveSections(next: Layout): void {
    const bytes = this.home.arena.u8(this.region.address, this.region.bytes);
    const units = unitBytes(this.shape);
    const [rows, lists] = [this.rows, this.word(WORD.lists)];
    const apart = next.bytes > this.held.bytes;
    for (const section of apart ? [...SECTIONS].reverse() : SECTIONS) {
      const from = this.held.places[section].offset;
      const to = next.places[section];
      const used = units[section] * unitCount(section, rows, lists);
      if (from !== to.offset) bytes.copyWithin(to.offset, from, from + used);
    }
    if (apart) return;
    // What lies between the sections is saved with them.
    let end = HEADER_BYTES;
    for (const section of SECTIONS) {
      bytes.fill(0, end, next.places[section].offset);
      end = next.places[section].offset + next.places[section].bytes;
    }
    bytes.fill(0, end, next.bytes);
  }
}
