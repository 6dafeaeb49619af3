import type { Op, Timestamp } from '@terndb/core';
import type { OverlayEntry, ReplicaChange } from '@terndb/engine';
import type { ClientEffect, OutboxEntry, StoreWrite } from '@terndb/sync';

/** An entry as readers see it. */
interface ShownEntry {
  readonly hlc: Timestamp;
  readonly op: Op;
}

/** The outbox as readers see it now, by channel and id: what turns a durable batch into what changes for them. */
export class ShownEntries {
  readonly #byChannel = new Map<string, Map<number, ShownEntry>>();

  /** Shows these entries of a channel, and no others. */
  reset(channel: string, entries: readonly OutboxEntry[]): void {
    this.#byChannel.set(channel, new Map(entries.map((entry) => [entry.id, entry])));
  }

  add(channel: string, entry: OverlayEntry): void {
    this.#of(channel).set(entry.id, entry);
  }

  ids(channel: string): readonly number[] {
    return [...this.#of(channel).keys()];
  }

  /** `onSwap`: for each replica that is swapped in. */
  changesOf(writes: readonly StoreWrite[], onSwap: (fetch: number) => void): ReplicaChange[] {
    const changes: ReplicaChange[] = [];
    let logEpoch: string | null = null;
    for (const write of writes) {
      if (write.type === 'frame') changes.push(write);
      else if (write.type === 'channel') logEpoch = write.record.logEpoch;
      else if (write.type === 'swap') {
        onSwap(write.fetch);
        changes.push({ ...write, logEpoch: logEpoch! });
      } else if (write.type === 'outbox') {
        const { entry } = write;
        const before = this.#of(entry.channel).get(entry.id);
        if (before?.hlc === entry.hlc && before.op === entry.op) continue;
        this.#of(entry.channel).set(entry.id, entry);
        changes.push({ type: 'entry', channel: entry.channel, entry: toOverlay(entry) });
      } else if (write.type === 'outbox-delete') {
        this.#of(write.channel).delete(write.id);
        changes.push({ type: 'entry-gone', channel: write.channel, id: write.id });
      }
    }
    return changes;
  }

  #of(channel: string): Map<number, ShownEntry> {
    let shown = this.#byChannel.get(channel);
    if (shown === undefined) {
      shown = new Map();
      this.#byChannel.set(channel, shown);
    }
    return shown;
  }
}

/** Ties of stamps are broken by the id it was first written under. */
export function toOverlay({ id, op, hlc, clientId, seq, origin }: OutboxEntry): OverlayEntry {
  return { id, op, hlc, clientId: origin?.clientId ?? clientId, seq: origin?.seq ?? seq };
}

/** The entry that a write made: the first one stored that was not sent. */
export function entryOf(effects: readonly ClientEffect[], channel: string): OverlayEntry | undefined {
  for (const effect of effects) {
    if (effect.type !== 'persist') continue;
    for (const write of effect.writes) {
      if (write.type === 'outbox' && write.entry.channel === channel) return toOverlay(write.entry);
    }
  }
  return undefined;
}
