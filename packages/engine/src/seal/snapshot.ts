import type { Hash64, Timestamp } from '@terndb/core';
import { andNotInto, countBits, createFullBitmap } from '../bitmap/bitmap.ts';
import { chooseRewrites, type SegmentSize } from '../compaction/policy.ts';
import { GrowingRows } from '../growing/growing.ts';
import type { LmidEntry, ManifestSegment } from '../manifest/types.ts';
import type { BlockState } from '../replica/block-state.ts';
import type { Replica } from '../replica/replica.ts';
import { SealedRows } from '../replica/sealed-rows.ts';
import type { TombstoneEntry } from '../tombstones/tombstone-set.ts';
import type { SealInput } from './seal-rows.ts';

/** A channel's whole state at one position, taken at once: what the next manifest says. Reads and writes go on beside it. */
export interface SealSnapshot {
  readonly upTo: number;
  readonly hash: Hash64;
  readonly maxHlc: Timestamp;
  readonly floor: Timestamp;
  readonly lmids: readonly LmidEntry[];
  readonly tombstones: readonly TombstoneEntry[];
  /** Become one new segment. */
  readonly inputs: readonly SealInput[];
  /** Stay, with the rows that are dead by now. */
  readonly kept: readonly { readonly id: string; readonly dead: Uint32Array | null }[];
  /** Positions of the oldest and newest record that shaped the inputs' rows. */
  readonly minPosition: number;
  readonly maxPosition: number;
}

export interface SnapshotOptions {
  readonly forCompaction: boolean;
  /** Which sealed segments are rewritten. Default: compaction/policy.ts. */
  readonly choose?: (segments: readonly SegmentSize[], growingRows: number) => number[];
}

/** `forCompaction`: only if segments are worth rewriting; otherwise also if anything is unsealed. Undefined: there is nothing to do. */
export function takeSnapshot(replica: Replica, sealedUpTo: number, options: SnapshotOptions): SealSnapshot | undefined {
  const { entities } = replica;
  const growing = entities.blocks.filter((block) => block.source instanceof GrowingRows && block.source.rows > 0);
  const sealed = entities.blocks.filter(isSealed);
  const growingRows = growing.reduce((rows, block) => rows + block.live.count, 0);
  const sizes = sealed.map(({ source, live }) => ({ rows: source.rows, live: live.count }));
  const rewritten = new Set((options.choose ?? chooseRewrites)(sizes, growingRows).map((index) => sealed[index]!));
  const isUnsealed = replica.position > sealedUpTo;
  if (rewritten.size === 0 && (options.forCompaction || !isUnsealed)) return undefined;
  if (!isUnsealed && rewritten.size === 1 && growing.length === 0 && isClean([...rewritten][0]!)) return undefined;
  entities.rotate();
  const inputs = [...[...rewritten], ...growing].map((block) => ({ block, live: block.live.share() }));
  return {
    upTo: replica.position,
    hash: replica.hash,
    maxHlc: replica.maxHlc,
    floor: replica.floor,
    lmids: [...replica.lmids.values()].sort((a, b) => (a.clientId < b.clientId ? -1 : 1)),
    tombstones: entities.tombstones.sorted(),
    inputs,
    kept: sealed.filter((block) => !rewritten.has(block)).map((block) => ({ id: block.source.id, dead: deadOf(block) })),
    ...positionsOf(inputs, replica.position),
  };
}

export function isSealed(block: BlockState): block is BlockState<SealedRows> {
  return block.source instanceof SealedRows;
}

/** A manifest's entries for the segments that stay. One that could not be opened stays as it was: it may come back. */
export function keptSegments(
  before: readonly ManifestSegment[],
  snapshot: SealSnapshot,
  quarantined: ReadonlySet<string>,
): ManifestSegment[] {
  const dead = new Map(snapshot.kept.map((segment) => [segment.id, segment.dead]));
  return before.flatMap((segment) => {
    if (quarantined.has(segment.id)) return [segment];
    const words = dead.get(segment.id);
    return words === undefined ? [] : [{ ...segment, dead: words }];
  });
}

function isClean(block: BlockState): boolean {
  return block.live.count === block.source.rows;
}

function deadOf({ source, live }: BlockState): Uint32Array | null {
  const dead = createFullBitmap(source.rows);
  andNotInto(dead, live.share());
  return countBits(dead) === 0 ? null : dead;
}

function positionsOf(inputs: readonly SealInput[], position: number): { minPosition: number; maxPosition: number } {
  let min = position;
  let max = 0;
  for (const { block } of inputs) {
    const { source } = block;
    if (source instanceof SealedRows) {
      min = Math.min(min, source.segment.info.minPosition);
      max = Math.max(max, source.segment.info.maxPosition);
    } else if (source instanceof GrowingRows) {
      min = Math.min(min, source.positionAt(0));
      max = Math.max(max, source.positionAt(source.rows - 1));
    }
  }
  return { minPosition: min, maxPosition: Math.max(min, max) };
}
