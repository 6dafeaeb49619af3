import { mustCount, noHits, readHits } from '../block/hits.ts';
import type { BlockHome } from '../block/home.ts';
import { checkQuery, writeQuery } from '../block/query.ts';
import { PLAN_BYTES, writePlan } from '../block/scan-plan.ts';
import { type ScoreBounds, scoreBounds } from '../block/score-bounds.ts';
import { KernelError } from '../errors.ts';
import { mustBeAtMost, mustBeBlockOf, placeBitmap } from '../index/arguments.ts';
import { rescoreRows } from '../index/rescore.ts';
import type { RescoreOptions } from '../index/types.ts';
import { MAX_EF } from '../index/workspace.ts';
import type { Region } from '../memory/arena.ts';
import type { Metric, ScanHits } from '../types.ts';
import { METRIC_NUMBERS, metricOf } from '../wasm/exports.ts';
import { CHECKED_FROM, CHECKSUM_AT, CODES, floatBytesOf, type ListLayout, type ListShape, layoutOf } from './layout.ts';
import { LIST_PLAN_BYTES, queryCodeBytes, writeListPlan } from './plan.ts';
import type { ListCodes, ListIndex, ListMemory, ListSearchOptions } from './types.ts';

const DEFAULT_NPROBE = 16;
/** Fewer candidates lose recall that exact scores would have given back, and save nearly nothing. */
const MIN_CANDIDATES = 50;
/** How many more lists are searched when there were not enough rows in the first. */
const WIDENING = 4;

/** Everything of one search that does not change when more lists are probed. */
interface Prepared {
  readonly plan: number;
  readonly probes: number;
  readonly bitmap: number;
  readonly hits: number;
  readonly k: number;
  readonly bounds: ScoreBounds;
  /** Address of the plan over the block's rows, or 0. */
  readonly exact: number;
  /** Where estimates wait for exact scores, and how many; 0: no such step. */
  readonly candidates: number;
  readonly candidateCount: number;
}

export class WasmListIndex implements ListIndex {
  readonly dim: number;
  readonly metric: Metric;
  readonly codes: ListCodes;
  readonly rows: number;
  readonly lists: number;
  private readonly home: BlockHome;
  private readonly shape: ListShape;
  private readonly layout: ListLayout;
  private readonly region: Region;
  private freed = false;

  /** Takes the region over. */
  constructor(home: BlockHome, shape: ListShape, region: Region) {
    this.home = home;
    this.shape = shape;
    this.region = region;
    this.layout = layoutOf(shape);
    this.dim = shape.dim;
    this.rows = shape.rows;
    this.lists = shape.lists;
    this.codes = CODES[shape.codes]!;
    this.metric = metricOf(shape.metric);
    home.taken(this);
  }

  get bytes(): number {
    return this.region.bytes;
  }

  get memory(): ListMemory {
    return { bytes: this.bytes, usedBytes: this.layout.bytes };
  }

  search(options: ListSearchOptions): ScanHits {
    this.mustLive();
    checkQuery(options.query, this.metric, this.dim);
    const k = Math.min(mustBeAtMost('k', options.k, MAX_EF), this.rows);
    const nprobe = Math.min(this.lists, Math.max(1, mustCount('nprobe', options.nprobe ?? DEFAULT_NPROBE)));
    const block = options.block && mustBeBlockOf(this.home, options.block, this);
    if (!block && this.codes === 'none') throw new KernelError('OPTION_INVALID', 'list index: without codes a block of the rows is needed');
    const bounds = scoreBounds(options);
    const candidateCount = this.candidateCount(options.candidates, k, block !== undefined);
    if (k === 0) return noHits();
    const { arena, scratch, wasm } = this.home;
    const words = options.bitmap ? Math.ceil(this.rows / 32) : 0;
    const floats = floatBytesOf(this.dim);
    const parts = [words * 4, k * 8, candidateCount * 8, this.lists * 8, floats, floats, queryCodeBytes(this.shape), LIST_PLAN_BYTES];
    scratch.begin([...parts, PLAN_BYTES, ...(block ? block.planParts() : [])]);
    try {
      const bitmap = scratch.take(words * 4);
      const passing = options.bitmap ? placeBitmap(this.home, options.bitmap, this.rows, bitmap) : this.rows;
      const wanted = Math.min(k, passing);
      if (wanted === 0) return noHits();
      const [hits, candidates, probes] = [scratch.take(k * 8), scratch.take(candidateCount * 8), scratch.take(this.lists * 8)];
      const [query, rest, queryCodes, plan] = [floats, floats, queryCodeBytes(this.shape), LIST_PLAN_BYTES].map((bytes) =>
        scratch.take(bytes),
      );
      writeQuery(arena.f32(query!, floats / 4), options.query, this.metric);
      writeListPlan(arena, plan!, this.region.address, this.shape, { query: query!, rest: rest!, queryCodes: queryCodes! });
      wasm.listsQuery(plan!);
      const centroidPlan = scratch.take(PLAN_BYTES);
      const placed = { rows: block?.rows ?? 0, bitmap: 0, bounds, hits, k, screen: false };
      const exact = block ? block.placePlan({ query: options.query, metric: this.metric }, placed) : 0;
      const prepared = { plan: plan!, probes, bitmap: words > 0 ? bitmap : 0, hits, k, bounds, exact, candidates, candidateCount };
      return this.searchLists(prepared, { nprobe, wanted, query: query!, centroidPlan });
    } finally {
      scratch.end();
    }
  }

  rescore(options: RescoreOptions): ScanHits {
    this.mustLive();
    return rescoreRows(this.home, this, options);
  }

  save(): Uint8Array<ArrayBuffer> {
    this.mustLive();
    const { arena, wasm } = this.home;
    const { address } = this.region;
    wasm.writeChecksum(address + CHECKED_FROM, this.layout.bytes - CHECKED_FROM, address + CHECKSUM_AT);
    return arena.u8(address, this.layout.bytes).slice();
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.home.pins.whenFree(this, () => {
      this.home.arena.release(this.region);
      this.home.released(this);
    });
  }

  /** Whether this index lies in the same memory. */
  isOf(home: BlockHome): boolean {
    return this.home === home && !this.freed;
  }

  /** What another thread needs to search it. */
  share(): { readonly shape: ListShape; readonly address: number } {
    this.mustLive();
    return { shape: this.shape, address: this.region.address };
  }

  /** Probes more lists until there are enough hits, or no more lists. */
  private searchLists(
    prepared: Prepared,
    search: { readonly nprobe: number; readonly wanted: number; readonly query: number; readonly centroidPlan: number },
  ): ScanHits {
    const unbounded = prepared.bounds.low === -Infinity && prepared.bounds.high === Infinity;
    for (let nprobe = search.nprobe; ; nprobe = Math.min(this.lists, nprobe * WIDENING)) {
      this.findLists(prepared, nprobe, search);
      const found = this.searchProbed(prepared, nprobe);
      if (!unbounded || found >= search.wanted || nprobe === this.lists) return readHits(this.home.arena, prepared.hits, found);
    }
  }

  /** The nearest lists, to `probes`: by the inner product for IP, else by distance (rows have length 1 for COSINE). */
  private findLists({ probes }: Prepared, nprobe: number, { query, centroidPlan }: { query: number; centroidPlan: number }): void {
    const { arena, wasm } = this.home;
    writePlan(arena, centroidPlan, {
      metric: this.metric === 'IP' ? METRIC_NUMBERS.IP : METRIC_NUMBERS.L2,
      query,
      vectors: this.region.address + this.layout.offsets.centroids,
      rowBytes: floatBytesOf(this.dim),
      norms: 0,
      rows: this.lists,
      bitmap: 0,
      minScore: -Infinity,
      maxScore: Infinity,
      hits: probes,
      k: nprobe,
      screen: undefined,
      elements: 0,
      queryBits: 0,
    });
    wasm.scan(centroidPlan);
  }

  private searchProbed(prepared: Prepared, nprobe: number): number {
    const { wasm } = this.home;
    const { plan, probes, bitmap, hits, k, bounds, exact, candidates, candidateCount } = prepared;
    if (exact === 0) return wasm.listsEstimate(plan, probes, nprobe, bitmap, hits, k, bounds.low, bounds.high);
    if (candidateCount === 0) return wasm.listsExact(plan, exact, probes, nprobe, bitmap);
    const found = wasm.listsEstimate(plan, probes, nprobe, bitmap, candidates, candidateCount, -Infinity, Infinity);
    return wasm.rerankHits(exact, candidates, found);
  }

  /** Rows to score exactly after estimating; 0: there is no such step. */
  private candidateCount(asked: number | undefined, k: number, exact: boolean): number {
    const wanted = mustCount('candidates', asked ?? Math.max(MIN_CANDIDATES, 2 * k));
    if (!exact || this.codes === 'none' || (this.codes === 'b1' && asked === undefined)) return 0;
    return Math.min(this.rows, Math.max(k, wanted));
  }

  private mustLive(): void {
    if (this.freed) throw new KernelError('INTERNAL', 'list index: used after free()');
  }
}
