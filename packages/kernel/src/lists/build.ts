/**
 * Builds a list index in slices: a sample of the rows is loaded, k-means finds centroids (Lloyd, from sampled rows), every row gets its list, every
 * row is encoded. One order of everything, seeded: the same bytes everywhere.
 */
import type { WasmBlock } from '../block/block.ts';
import type { BlockHome } from '../block/home.ts';
import { KernelError } from '../errors.ts';
import { mustBeWithin } from '../kernel.ts';
import type { Region } from '../memory/arena.ts';
import { alignUp } from '../memory/free-list.ts';
import { floatBytesOf, type ListLayout, type ListShape, layoutOf, MAX_ROWS, writeHeader } from './layout.ts';
import { WasmListIndex } from './list-index.ts';
import { LIST_PLAN_BYTES, queryCodeBytes, writeListPlan } from './plan.ts';
import { mendEmptyLists, sampleRows } from './sample.ts';
import type { ListBuild, ListBuildProgress, ListIndex } from './types.ts';

/** Rows loaded at a time: their floats stay in the caches. */
const CHUNK_ROWS = 128;
/** k-means learns little from more rows per list, or from fewer rows in all than this. */
const SAMPLE_PER_LIST = 32;
const MIN_SAMPLE_ROWS = 1024;
const MAX_SAMPLE_BYTES = 128 * 2 ** 20;

type Phase = 'load' | 'train' | 'assign' | 'encode' | 'done';

/** Places in the region that lives as long as the build. */
interface Work {
  readonly plan: number;
  readonly rows: number;
  readonly lists: number;
  readonly slots: number;
}
/** Places in the region of the training. */
interface Training {
  readonly rows: number;
  readonly assigned: number;
  readonly sums: number;
  readonly counts: number;
}

export class WasmListBuild implements ListBuild {
  private readonly home: BlockHome;
  private readonly block: WasmBlock;
  private readonly shape: ListShape;
  private readonly layout: ListLayout;
  private readonly floatBytes: number;
  private readonly iterations: number;
  private readonly sample: Uint32Array;
  private readonly index: Region;
  private readonly workRegion: Region;
  private readonly trainingRegion: Region;
  private readonly work: Work;
  private readonly training: Training;
  private readonly listOf: Uint32Array;
  private slotOf: Uint32Array = new Uint32Array(0);
  private phase: Phase = 'load';
  /** Rows of the running pass that were visited. */
  private at = 0;
  private turn = 0;
  private changed = 0;
  private visited = 0;
  private ended = false;

  constructor(home: BlockHome, block: WasmBlock, shape: ListShape, iterations: number) {
    this.home = home;
    this.block = block;
    this.shape = shape;
    this.layout = layoutOf(shape);
    this.iterations = iterations;
    this.floatBytes = floatBytesOf(shape.dim);
    this.listOf = new Uint32Array(shape.rows);
    const most = Math.max(shape.lists, Math.floor(MAX_SAMPLE_BYTES / this.floatBytes));
    this.sample = sampleRows(shape.rows, Math.min(most, Math.max(MIN_SAMPLE_ROWS, SAMPLE_PER_LIST * shape.lists)), shape.seed);
    const { arena } = home;
    const [floats, lists] = [this.floatBytes, shape.lists];
    const workParts = [LIST_PLAN_BYTES, floats, queryCodeBytes(shape), CHUNK_ROWS * floats, CHUNK_ROWS * 4, CHUNK_ROWS * 4];
    const trainingParts = [this.sample.length * floats, this.sample.length * 4, lists * floats, lists * 4];
    const taken: Region[] = [];
    try {
      for (const bytes of [this.layout.bytes, sumOf(workParts), sumOf(trainingParts)]) taken.push(arena.allocate(bytes));
    } catch (error) {
      for (const region of taken) arena.release(region);
      throw error;
    }
    [this.index, this.workRegion, this.trainingRegion] = taken as [Region, Region, Region];
    const [plan, rest, queryCodes, rows, listNumbers, slots] = cut(this.workRegion.address, workParts);
    this.work = { plan: plan!, rows: rows!, lists: listNumbers!, slots: slots! };
    const [sampled, assigned, sums, counts] = cut(this.trainingRegion.address, trainingParts);
    this.training = { rows: sampled!, assigned: assigned!, sums: sums!, counts: counts! };
    arena.u8(this.index.address, this.layout.bytes).fill(0);
    writeHeader(arena.u32(this.index.address, 32), shape);
    writeListPlan(arena, plan!, this.index.address, shape, { query: rest!, rest: rest!, queryCodes: queryCodes! });
    home.taken(this);
    if (shape.rows === 0) this.phase = 'done';
  }

  get bytes(): number {
    return this.ended ? 0 : this.index.bytes + this.workRegion.bytes + this.trainingRegion.bytes;
  }

  step(maxRows: number): ListBuildProgress {
    this.mustRun();
    let left = mustBeWithin('maxRows', maxRows, 1, MAX_ROWS);
    while (left > 0 && this.phase !== 'done') {
      const count = this.visit(left);
      left -= count;
      this.visited += count;
    }
    const total = this.sample.length * (1 + this.iterations) + 2 * this.shape.rows;
    return { visited: this.visited, total, done: this.phase === 'done' };
  }

  finish(): ListIndex {
    this.mustRun();
    if (this.phase !== 'done') throw new KernelError('OPTION_INVALID', 'list index: finish before the build is done');
    this.home.arena.release(this.workRegion);
    this.home.arena.release(this.trainingRegion);
    this.ended = true;
    this.home.released(this);
    return new WasmListIndex(this.home, this.shape, this.index);
  }

  free(): void {
    if (this.ended) return;
    this.ended = true;
    for (const region of [this.index, this.workRegion, this.trainingRegion]) this.home.arena.release(region);
    this.home.released(this);
  }

  /** One piece of the running pass; returns how many rows it visited. */
  private visit(most: number): number {
    const pass = this.phase === 'load' || this.phase === 'train' ? this.sample.length : this.shape.rows;
    const count = Math.min(most, CHUNK_ROWS, pass - this.at);
    if (this.phase === 'load') this.loadSample(count);
    else if (this.phase === 'train') this.train(count);
    else if (this.phase === 'assign') this.assign(count);
    else this.encode(count);
    this.at += count;
    if (this.at === pass) this.nextPass();
    return count;
  }

  private nextPass(): void {
    this.at = 0;
    if (this.phase === 'load') this.startTraining();
    else if (this.phase === 'train') this.endTurn();
    else if (this.phase === 'assign') this.placeRows();
    else this.phase = 'done';
  }

  private loadSample(count: number): void {
    for (let at = this.at; at < this.at + count; at++) this.load(this.sample[at]!, 1, this.training.rows + at * this.floatBytes);
  }

  /** The first of the sampled rows are the first centroids. */
  private startTraining(): void {
    const { arena } = this.home;
    const bytes = this.shape.lists * this.floatBytes;
    arena.u8(this.centroids, bytes).set(arena.u8(this.training.rows, bytes));
    arena.u32(this.training.assigned, this.sample.length).fill(0xffffffff);
    this.clearSums();
    this.phase = this.iterations > 0 ? 'train' : 'assign';
  }

  private train(count: number): void {
    const { wasm } = this.home;
    const { rows, assigned, sums, counts } = this.training;
    const [from, to] = [rows + this.at * this.floatBytes, assigned + this.at * 4];
    this.changed += wasm.listsAssign(from, this.floatBytes, count, this.centroids, this.shape.lists, to);
    wasm.listsSum(from, this.floatBytes, count, to, sums, counts);
  }

  private endTurn(): void {
    const { arena, wasm } = this.home;
    const { sums, counts } = this.training;
    const { lists } = this.shape;
    wasm.listsMeans(sums, counts, this.floatBytes, lists, this.centroids);
    const floats = this.floatBytes / 4;
    const mended = mendEmptyLists(arena.f32(this.centroids, lists * floats), arena.u32(counts, lists).slice(), floats);
    this.turn++;
    if (this.turn === this.iterations || (this.changed === 0 && mended === 0)) this.phase = 'assign';
    this.changed = 0;
    this.clearSums();
  }

  private assign(count: number): void {
    const { arena, wasm } = this.home;
    const { rows, lists } = this.work;
    this.load(this.at, count, rows);
    wasm.listsAssign(rows, this.floatBytes, count, this.centroids, this.shape.lists, lists);
    this.listOf.set(arena.u32(lists, count), this.at);
  }

  /** Slots by counting: lists one after the other, rows ascending in each. */
  private placeRows(): void {
    const { lists, rows } = this.shape;
    const { arena } = this.home;
    const starts = arena.u32(this.index.address + this.layout.offsets.starts, lists + 1);
    for (const list of this.listOf) starts[list + 1]!++;
    for (let list = 0; list < lists; list++) starts[list + 1]! += starts[list]!;
    const next = starts.slice();
    const ids = arena.u32(this.index.address + this.layout.offsets.ids, rows);
    this.slotOf = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) {
      const slot = next[this.listOf[row]!]!++;
      this.slotOf[row] = slot;
      ids[slot] = row;
    }
    this.phase = this.shape.codes === 0 ? 'done' : 'encode';
  }

  private encode(count: number): void {
    const { arena, wasm } = this.home;
    const { plan, rows, lists, slots } = this.work;
    this.load(this.at, count, rows);
    arena.u32(lists, count).set(this.listOf.subarray(this.at, this.at + count));
    arena.u32(slots, count).set(this.slotOf.subarray(this.at, this.at + count));
    wasm.listsEncode(plan, rows, count, lists, slots);
  }

  /** The block may have moved since the last slice: its address is asked for every time. */
  private load(first: number, count: number, target: number): void {
    const { address, strideBytes, elementNumber } = this.block.rowsAt();
    this.home.wasm.listsLoad(this.work.plan, elementNumber, address + first * strideBytes, strideBytes, count, target);
  }

  private clearSums(): void {
    const { arena } = this.home;
    arena.u8(this.training.sums, this.shape.lists * this.floatBytes).fill(0);
    arena.u8(this.training.counts, this.shape.lists * 4).fill(0);
  }

  private get centroids(): number {
    return this.index.address + this.layout.offsets.centroids;
  }

  private mustRun(): void {
    if (this.ended) throw new KernelError('INTERNAL', 'list index: a build used after it ended');
    if (!this.block.isOf(this.home) || this.block.rows < this.shape.rows) {
      throw new KernelError('INTERNAL', 'list index: the block of a running build was freed');
    }
  }
}

const sumOf = (parts: readonly number[]): number => parts.reduce((sum, bytes) => sum + alignUp(bytes), 0);

/** Addresses of parts that lie one after the other. */
function cut(address: number, parts: readonly number[]): number[] {
  let at = address;
  return parts.map((bytes) => {
    at += alignUp(bytes);
    return at - alignUp(bytes);
  });
}
