import { mustCount, noHits, readHits } from '../block/hits.ts';
import type { BlockHome } from '../block/home.ts';
import { checkQuery, writeQuery } from '../block/query.ts';
import { scoreBounds } from '../block/score-bounds.ts';
import { KernelError } from '../errors.ts';
import { mustBeWithin } from '../kernel.ts';
import type { Region } from '../memory/arena.ts';
import { alignUp } from '../memory/free-list.ts';
import type { Metric, ScanHits, VectorBlock } from '../types.ts';
import { metricOf } from '../wasm/exports.ts';
import { mustBeAtMost, mustBeBlockOf, placeBitmap } from './arguments.ts';
import { GRAPH_PLAN_BYTES, readRowsFrom, screenBy, writeGraphPlan } from './graph-plan.ts';
import { CHECKED_FROM, CHECKSUM_AT, CODES, isOneBit, MAX_ROWS, type Shape, WORD } from './layout.ts';
import { planSearch } from './planner.ts';
import { rescoreRows } from './rescore.ts';
import type { GraphStore, LyingGraph } from './store.ts';
import type { BuildProgress, HnswCodes, HnswIndex, HnswMemory, HnswSearchOptions, RescoreOptions } from './types.ts';
import { MAX_EF, type Workspace, workspaceOf } from './workspace.ts';

/** Good for recalls around .95 on text at 100,000 rows. */
const DEFAULT_EF = 64;
/** Fewer candidates lose recall that re-ranking would have given back, and save nearly nothing. */
const MIN_CANDIDATES = 50;
const GAVE_UP = -1;
/** `add` copies rows through scratch memory in pieces of this many bytes. */
const ADD_CHUNK_BYTES = 1 << 20;
const PLAN_ROOM = alignUp(GRAPH_PLAN_BYTES);

/** Bits of the candidates' bitmap in scratch memory, and how many rows pass. */
interface Filter {
  readonly bitmap: number;
  readonly survivors: number;
}

export class WasmHnsw implements HnswIndex {
  readonly dim: number;
  readonly metric: Metric;
  readonly codes: HnswCodes;
  private readonly home: BlockHome;
  private readonly shape: Shape;
  private readonly store: GraphStore;
  private readonly workspace: Workspace;
  private readonly plan: Region;
  /** Of the workspace that the plan was written for; −1: write it again. */
  private planVersion = -1;
  private freed = false;

  constructor(home: BlockHome, store: GraphStore) {
    this.home = home;
    this.store = store;
    this.shape = store.shape;
    this.dim = store.shape.dim;
    this.codes = CODES[store.shape.codes]!;
    this.metric = metricOf(store.shape.metric);
    this.workspace = workspaceOf(home.arena);
    this.workspace.ensure(store.capacity, this.dim);
    this.plan = home.arena.allocate(2 * PLAN_ROOM);
    home.taken(this);
  }

  get rows(): number {
    return this.store.rows;
  }

  get linked(): number {
    return this.store.word(WORD.linked);
  }

  get bytes(): number {
    return this.store.bytes + this.plan.bytes;
  }

  get memory(): HnswMemory {
    return { bytes: this.bytes, usedBytes: this.store.usedBytes, workspaceBytes: this.workspace.bytes };
  }

  get lastDistances(): number {
    return this.home.wasm.graphDistances();
  }

  add(vectors: Float32Array): void {
    this.mustBeMutable();
    if (vectors.length % this.dim !== 0) {
      throw new KernelError('DIMENSION_MISMATCH', `graph index: a multiple of dim ${this.dim} floats expected, got ${vectors.length}`, {
        details: { expected: this.dim, got: vectors.length },
      });
    }
    const rows = vectors.length / this.dim;
    if (rows === 0) return;
    const { arena, scratch, wasm } = this.home;
    const chunk = Math.min(rows, Math.max(1, Math.floor(ADD_CHUNK_BYTES / (this.dim * 4))));
    scratch.begin([chunk * this.dim * 4]);
    const source = scratch.take(chunk * this.dim * 4);
    try {
      this.makeRoom(rows);
      const first = this.rows;
      this.store.setRows(first + rows);
      const plan = this.currentPlan();
      for (let from = 0; from < rows; from += chunk) {
        const part = vectors.subarray(from * this.dim, Math.min(rows, from + chunk) * this.dim);
        arena.f32(source, part.length).set(part);
        wasm.graphStore(plan, source, this.dim * 4, first + from, part.length / this.dim);
      }
    } finally {
      scratch.end();
    }
  }

  addFrom(block: VectorBlock, count: number = block.rows - this.rows): void {
    this.mustBeMutable();
    const source = mustBeBlockOf(this.home, block, { dim: this.dim, rows: 0 });
    const first = this.rows;
    const rows = mustBeWithin('count', count, 0, Math.max(0, block.rows - first));
    if (rows === 0) return;
    const { scratch, wasm } = this.home;
    const { floatStrideBytes } = source.rowsAt();
    const widened = source.elements === 'float32' ? 0 : Math.min(rows, Math.max(1, Math.floor(ADD_CHUNK_BYTES / floatStrideBytes)));
    scratch.begin([widened * floatStrideBytes]);
    try {
      this.makeRoom(rows);
      this.store.setRows(first + rows);
      const plan = this.currentPlan();
      const floats = scratch.take(widened * floatStrideBytes);
      const { address, strideBytes, elementNumber } = source.rowsAt();
      if (widened === 0) wasm.graphStore(plan, address + first * strideBytes, strideBytes, first, rows);
      else {
        for (let from = first; from < first + rows; from += widened) {
          const count = Math.min(widened, first + rows - from);
          wasm.decodeRows(elementNumber, address + from * strideBytes, strideBytes, floats, floatStrideBytes, count);
          wasm.graphStore(plan, floats, floatStrideBytes, from, count);
        }
      }
    } finally {
      scratch.end();
    }
  }

  buildStep(maxRows: number, block?: VectorBlock): BuildProgress {
    this.mustBeMutable();
    mustBeWithin('maxRows', maxRows, 1, MAX_ROWS);
    const plan = isOneBit(this.shape) ? this.planOverRows(block) : this.currentPlan();
    if (this.codes !== 'sq8') screenBy(this.home.arena, plan, block && mustBeBlockOf(this.home, block, this).screen);
    if (this.linked < this.rows) this.home.wasm.graphLink(plan, maxRows);
    return { linked: this.linked, rows: this.rows };
  }

  /** Of an index that has just been made. */
  setCentroid(centroid: Float32Array): void {
    const { offset, bytes } = this.store.layout.places.centroid;
    const floats = this.home.arena.f32(this.store.address + offset, bytes / 4);
    floats.fill(0);
    floats.set(centroid);
    this.home.wasm.graphCentroid(this.currentPlan());
  }

  search(options: HnswSearchOptions): ScanHits {
    this.mustLive();
    checkQuery(options.query, this.metric, this.dim);
    const wantedK = mustBeAtMost('k', options.k, MAX_EF);
    const k = Math.min(wantedK, this.rows);
    const ef = Math.max(k, Math.min(mustBeAtMost('ef', options.ef ?? DEFAULT_EF, MAX_EF), MAX_EF), 1);
    const bounds = scoreBounds(options);
    const block = options.block && mustBeBlockOf(this.home, options.block, this);
    if (k === 0) return noHits();
    const { arena, scratch, wasm } = this.home;
    const words = options.bitmap ? Math.ceil(this.rows / 32) : 0;
    scratch.begin([words * 4, k * 8, ...(block ? block.planParts() : [])]);
    try {
      const filter = options.bitmap && this.placeBitmap(options.bitmap, scratch.take(words * 4));
      const hits = scratch.take(k * 8);
      const wanted = Math.min(k, filter ? filter.survivors : this.rows);
      if (wanted === 0) return noHits();
      writeQuery(arena.f32(this.workspace.places.query, this.dim), options.query, this.metric);
      const candidates = mustCount(
        'candidates',
        options.candidates ?? Math.max(MIN_CANDIDATES, isOneBit(this.shape) ? ef : ef >> 1, 2 * k),
      );
      const kept = block || this.shape.residual ? Math.min(MAX_EF, Math.max(k, candidates)) : k;
      if (this.codes === 'f32') screenBy(arena, this.currentPlan(), block?.screen);
      this.findCandidates({ filter, ef, wanted, kept, plan: options.plan ?? 'auto' });
      // Scores of float32 rows are what the block would give; below a highest score the best may be further down the candidates.
      const scored = this.codes === 'f32' && block?.elements === 'float32' && bounds.high === Infinity;
      if (block && !scored) {
        const scan = block.placePlan(
          { query: options.query, metric: this.metric },
          { rows: block.rows, bitmap: 0, bounds, hits, k, screen: false },
        );
        return readHits(arena, hits, wasm.graphRerank(this.plan.address, scan, kept));
      }
      if (this.shape.residual) wasm.graphRefine(this.plan.address, kept);
      return withinBounds(readHits(arena, hits, wasm.graphHits(k, hits)), bounds);
    } finally {
      scratch.end();
    }
  }

  planFor({ survivors, ef }: { readonly survivors: number; readonly ef: number }): ReturnType<HnswIndex['planFor']> {
    if (survivors === 0) return 'scan';
    const planned = planSearch({ rows: this.rows, survivors, ef, filtered: survivors < this.rows, plan: 'auto' });
    return planned.ef > MAX_EF ? 'scan' : planned.plan;
  }

  rescore(options: RescoreOptions): ScanHits {
    this.mustLive();
    return rescoreRows(this.home, this, options);
  }

  save(): Uint8Array<ArrayBuffer> {
    this.mustBeMutable();
    this.store.resize(this.rows);
    this.planVersion = -1;
    const { arena, wasm } = this.home;
    const { address, usedBytes } = this.store;
    this.store.setWord(WORD.length, usedBytes);
    wasm.writeChecksum(address + CHECKED_FROM, usedBytes - CHECKED_FROM, address + CHECKSUM_AT);
    return arena.u8(address, usedBytes).slice();
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.home.pins.whenFree(this, () => {
      this.store.free();
      this.home.arena.release(this.plan);
      this.home.released(this);
    });
  }

  /** Whether this index lies in the same memory. */
  isOf(home: BlockHome): boolean {
    return this.home === home && !this.freed;
  }

  /** What another thread needs to search it: `GraphStore.attach` takes it. */
  share(): LyingGraph {
    this.mustLive();
    const { shape, address, capacity, rows } = this.store;
    return { shape, address, capacity, rows };
  }

  /** Address of the plan, written again when something that it says has changed. */
  currentPlan(): number {
    if (this.planVersion !== this.workspace.version) {
      const { address: base, rows, layout } = this.store;
      writeGraphPlan(this.home.arena, this.plan.address, { base, rows, shape: this.shape, layout }, this.workspace);
      this.planVersion = this.workspace.version;
    }
    return this.plan.address;
  }

  /** A second plan, over the rows of a float32 block, for linking what has codes too coarse to link by. */
  private planOverRows(block: VectorBlock | undefined): number {
    if (!block) throw new KernelError('OPTION_INVALID', 'graph index: one-bit codes are linked by the rows of a block, got none');
    const source = mustBeBlockOf(this.home, block, this);
    if (source.elements !== 'float32')
      throw new KernelError('OPTION_INVALID', `graph index: a float32 block expected, got ${source.elements}`);
    const { arena } = this.home;
    const address = this.plan.address + PLAN_ROOM;
    arena.u8(address, GRAPH_PLAN_BYTES).set(arena.u8(this.currentPlan(), GRAPH_PLAN_BYTES));
    const rows = source.rowsAt();
    readRowsFrom(arena, address, { ...rows, norms: this.metric === 'COSINE' ? rows.norms : 0 });
    return address;
  }

  /** Fills the pool with `wanted` candidates or more, if there are so many. The query lies in the workspace already. */
  private findCandidates(search: {
    readonly filter: Filter | undefined;
    readonly ef: number;
    readonly wanted: number;
    readonly kept: number;
    readonly plan: NonNullable<HnswSearchOptions['plan']>;
  }): void {
    const { wasm } = this.home;
    const { filter, wanted } = search;
    const [bitmap, survivors] = [filter?.bitmap ?? 0, filter?.survivors ?? this.rows];
    const plan = this.currentPlan();
    const planned = planSearch({ rows: this.rows, survivors, ef: search.ef, filtered: filter !== undefined, plan: search.plan });
    let found = GAVE_UP;
    wasm.graphQuery(plan);
    if (planned.plan === 'walkFiltered' && filter) found = wasm.graphWalkFiltered(plan, planned.ef, bitmap, planned.limit);
    else if (planned.plan !== 'scan' && planned.ef <= MAX_EF) {
      found = wasm.graphWalk(plan, planned.ef);
      if (filter) found = wasm.graphCheck(bitmap);
    }
    const linked = this.linked;
    if (found !== GAVE_UP && linked < this.rows) found = wasm.graphScan(plan, 0, bitmap, linked);
    // Also when the walk did not reach enough rows: they may not hang together, or k is nearly all of them.
    if (found < wanted) wasm.graphScan(plan, search.kept, bitmap, 0);
  }

  private placeBitmap(bitmap: Uint32Array, address: number): Filter {
    return { bitmap: address, survivors: placeBitmap(this.home, bitmap, this.rows, address) };
  }

  private makeRoom(rows: number): void {
    const wanted = this.rows + rows;
    if (wanted > MAX_ROWS) {
      throw new KernelError('MEMORY_LIMIT', `graph index: at most ${MAX_ROWS} rows, ${wanted} wanted`, {
        details: { wanted, most: MAX_ROWS },
      });
    }
    this.planVersion = -1;
    if (wanted > this.store.capacity) this.store.grow(wanted);
    this.workspace.ensure(this.store.capacity, this.dim);
  }

  /** Lives, and nobody else searches it now. */
  private mustBeMutable(): void {
    this.mustLive();
    this.home.pins.mustBeFree(this, 'graph index');
  }

  private mustLive(): void {
    if (this.freed) throw new KernelError('INTERNAL', 'graph index: used after free()');
  }
}

function withinBounds(hits: ScanHits, { low, high }: { readonly low: number; readonly high: number }): ScanHits {
  if (low === -Infinity && high === Infinity) return hits;
  const fits = (score: number): boolean => score >= low && score <= high;
  return { offsets: hits.offsets.filter((_, index) => fits(hits.scores[index]!)), scores: hits.scores.filter(fits) };
}
