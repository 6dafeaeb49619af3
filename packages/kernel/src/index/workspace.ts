import { codeBytesOf } from '../block/screening.ts';
import type { Arena, Region } from '../memory/arena.ts';
import { alignUp } from '../memory/free-list.ts';
import { MAX_M } from './layout.ts';

/** Largest `ef` and `k`, Milvus' limit: the pool has so many entries. */
export const MAX_EF = 16_384;
/** Rows that a filtered walk may keep in mind; one that needs more gives up, because scanning is cheaper by then. */
export const WORKSPACE_HEAP = 65_536;
const LARGEST_LIST = 2 * MAX_M;
/** A list of rows, filled up to a multiple of four, and one entry more. */
const LIST_ROOM = LARGEST_LIST + 8;
/** In front of the visited marks: the number of the running search. */
const EPOCH_BYTES = 64;

export interface WorkspacePlaces {
  readonly visited: number;
  readonly query: number;
  readonly queryCodes: number;
  readonly batch: number;
  readonly keys: number;
  readonly selected: number;
  readonly kept: number;
  readonly sorted: number;
  readonly pool: number;
  readonly heap: number;
  /** Floats of a row less a centroid. */
  readonly rest: number;
}

/**
 * Memory that walking and building need beside the index: one for all indexes of a kernel, because the kernel does one thing at a time.
 * Some 700 kB and a byte per row of the largest index.
 */
export class Workspace {
  private readonly arena: Arena;
  private region: Region | undefined;
  private rows = 0;
  private dim = 0;
  private held: WorkspacePlaces | undefined;
  /** Changes when the places do: plans written before are void. */
  version = 0;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  get bytes(): number {
    return this.region?.bytes ?? 0;
  }

  get visitedBytes(): number {
    return this.rows;
  }

  get places(): WorkspacePlaces {
    if (!this.held) throw new RangeError('workspace: used before it was made');
    return this.held;
  }

  /** Room for indexes of so many rows and dimensions. Throws MEMORY_LIMIT and changes nothing. */
  ensure(rows: number, dim: number): void {
    if (this.region && rows <= this.rows && dim <= this.dim) return;
    const [wantedRows, wantedDim] = [Math.max(rows, this.rows), Math.max(dim, this.dim)];
    const visitedBytes = alignUp(wantedRows);
    const sizes: Record<keyof WorkspacePlaces, number> = {
      visited: EPOCH_BYTES + visitedBytes,
      query: wantedDim * 4 + 64,
      queryCodes: codeBytesOf(wantedDim) * 2,
      batch: LIST_ROOM * 4,
      keys: LIST_ROOM * 4,
      selected: LIST_ROOM * 4,
      kept: LIST_ROOM * 8,
      sorted: LIST_ROOM * 8,
      pool: MAX_EF * 8,
      heap: WORKSPACE_HEAP * 8,
      rest: wantedDim * 4 + 64,
    };
    const total = Object.values(sizes).reduce((sum, bytes) => sum + alignUp(bytes), 0);
    const region = this.arena.allocate(total);
    if (this.region) this.arena.release(this.region);
    let at = region.address;
    const take = (bytes: number): number => {
      at += alignUp(bytes);
      return at - alignUp(bytes);
    };
    const marks = take(sizes.visited);
    this.arena.u8(marks, EPOCH_BYTES + visitedBytes).fill(0);
    this.held = {
      visited: marks + EPOCH_BYTES,
      query: take(sizes.query),
      queryCodes: take(sizes.queryCodes),
      batch: take(sizes.batch),
      keys: take(sizes.keys),
      selected: take(sizes.selected),
      kept: take(sizes.kept),
      sorted: take(sizes.sorted),
      pool: take(sizes.pool),
      heap: take(sizes.heap),
      rest: take(sizes.rest),
    };
    this.region = region;
    this.rows = visitedBytes;
    this.dim = wantedDim;
    this.version++;
  }
}

const workspaces = new WeakMap<Arena, Workspace>();

/** The one of this memory. */
export function workspaceOf(arena: Arena): Workspace {
  const workspace = workspaces.get(arena) ?? new Workspace(arena);
  workspaces.set(arena, workspace);
  return workspace;
}
