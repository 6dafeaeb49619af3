import { compareStamps, type Stamp, TICKS_PER_MS } from '@terndb/core';
import type { LiveStamps } from '../fold/registers.ts';
import type { BlockState } from '../replica/block-state.ts';
import type { RowSource } from '../replica/row-source.ts';
import { type EmbeddedField, equalHashes, sourceHashOf, sourceTextOf } from './source-text.ts';
import type { WaitingRequest, WaitingRow } from './types.ts';

/** What is known of one block's rows for one field and model. Rows never change, so each is judged once. */
interface Judged {
  lookedAt: number;
  /** Offsets of rows that wait; dead ones are dropped when met. */
  waiting: number[];
}

/** Where a scan is. */
export interface ScanState {
  readonly rows: WaitingRow[];
  waiting: number;
  resting: number;
  lookedAt: number;
  isComplete: boolean;
}

/**
 * Finds the rows whose vector is missing or stale, from the rows themselves: there is no queue that could say something else. Blocks remember what
 * was found, so a scan costs the rows that are new and those that wait.
 */
export class WaitingScanner {
  readonly #judged = new WeakMap<RowSource, Map<string, Judged>>();

  /** Goes on with `state` over the blocks of one partition. */
  scan(blocks: readonly BlockState[], partition: string, field: EmbeddedField, request: WaitingRequest, state: ScanState): void {
    for (const block of blocks) this.#scanBlock(block, partition, field, request, state);
  }

  #scanBlock(block: BlockState, partition: string, field: EmbeddedField, request: WaitingRequest, state: ScanState): void {
    const { source, live } = block;
    const judged = this.#of(source, `${request.model}\n${field.name}`);
    for (; judged.lookedAt < source.rows; judged.lookedAt++) {
      if (!live.has(judged.lookedAt)) continue;
      if (state.lookedAt >= request.maxLookedAt) {
        state.isComplete = false;
        break;
      }
      state.lookedAt += 1;
      if (isWaiting(source, judged.lookedAt, field, request.model)) judged.waiting.push(judged.lookedAt);
    }
    judged.waiting = judged.waiting.filter((offset) => live.has(offset));
    for (const offset of judged.waiting) {
      if (request.mayEmbed !== undefined && !request.mayEmbed(partition, authorOf(source.stampsAt(offset), field))) continue;
      if (isBeingWritten(source, offset, field, request.isBeingWritten)) {
        state.resting += 1;
        continue;
      }
      if (request.isEmbedded?.(partition, source.keyAt(offset)) === true) continue;
      state.waiting += 1;
      if (state.rows.length >= request.maxRows) continue;
      const text = textAt(source, offset, field);
      state.rows.push({ partition, key: source.keyAt(offset), text, sourceHash: sourceHashOf(text) });
    }
  }

  #of(source: RowSource, name: string): Judged {
    let byName = this.#judged.get(source);
    if (byName === undefined) {
      byName = new Map();
      this.#judged.set(source, byName);
    }
    let judged = byName.get(name);
    if (judged === undefined) {
      judged = { lookedAt: 0, waiting: [] };
      byName.set(name, judged);
    }
    return judged;
  }
}

/** Vectors of rows, whichever is the newest of the text's registers. */
function isWaiting(source: RowSource, offset: number, field: EmbeddedField, model: string): boolean {
  const origin = source.origins(field.name)?.originAt(offset) ?? null;
  const text = textAt(source, offset, field);
  const hasVector = origin !== null || hasVectorAt(source, offset, field.name);
  if (text === '') return origin !== null;
  if (!hasVector) return true;
  // Given by the application: its own until the text changes after it.
  if (origin === null) return isOlderThanText(source.stampsAt(offset), field);
  return origin.model !== model || !equalHashes(origin.sourceHash, sourceHashOf(text));
}

function textAt(source: RowSource, offset: number, field: EmbeddedField): string {
  return sourceTextOf(field, (name) => source.valueAt(name, offset));
}

function hasVectorAt(source: RowSource, offset: number, field: string): boolean {
  const column = source.column(field);
  if (column === undefined || column.kind === 'values') return false;
  return column.validity === null ? source.vectors(field) !== undefined : (column.validity[offset >>> 5]! & (1 << (offset & 31))) !== 0;
}

function isOlderThanText(stamps: LiveStamps, field: EmbeddedField): boolean {
  return compareStamps(newestOf(stamps, field.params.embed), stamps.exceptions?.get(field.name) ?? stamps.put) > 0;
}

function isBeingWritten(source: RowSource, offset: number, field: EmbeddedField, ask: WaitingRequest['isBeingWritten']): boolean {
  if (ask === undefined) return false;
  const edited = field.params.embed.some((name) => source.collabAt(name, offset) !== null);
  return edited && ask(newestOf(source.stampsAt(offset), field.params.embed).hlc / TICKS_PER_MS);
}

function authorOf(stamps: LiveStamps, field: EmbeddedField): string {
  return newestOf(stamps, field.params.embed).clientId;
}

function newestOf(stamps: LiveStamps, fields: readonly string[]): Stamp {
  let newest = stamps.put;
  for (const name of fields) {
    const stamp = stamps.exceptions?.get(name);
    if (stamp !== undefined && compareStamps(stamp, newest) > 0) newest = stamp;
  }
  return newest;
}
