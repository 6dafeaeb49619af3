import { applyUpdate, Doc, decodeUpdate, mergeUpdates, Skip } from 'yjs';

/** Held at once; beyond that the log alone tells, until it has told these. */
const MAX_UPDATES = 64;
const MAX_BYTES: number = 32 * 1024;
const NOTHING: Uint8Array = Uint8Array.of(0, 0);

interface Range {
  readonly client: number;
  readonly from: number;
  readonly to: number;
}
/** What an update writes and deletes, by Yjs' own counts of each of its clients. */
interface Reach {
  readonly writes: readonly Range[];
  readonly deletes: readonly Range[];
}
interface Hinted {
  readonly update: Uint8Array;
  /** What of it the log has not told. */
  left: Reach;
}

/** Updates of others that are shown and were not yet told by the log, oldest first. */
export class HintedUpdates {
  #hinted: readonly Hinted[] = [];

  get held(): readonly Uint8Array[] {
    return this.#hinted.map(({ update }) => update);
  }

  get bytes(): number {
    return this.#hinted.reduce((sum, { update }) => sum + update.length, 0);
  }

  /** @returns whether it may be shown: Yjs can read it and merge it, and there is room. */
  add(update: Uint8Array): boolean {
    if (this.#hinted.length >= MAX_UPDATES || this.bytes + update.length > MAX_BYTES) return false;
    const left = reachOf(update);
    if (left === undefined) return false;
    this.#hinted = [...this.#hinted, { update, left }];
    return true;
  }

  /** The log has told this: several of what was hinted, or the whole document as it is stored. Cost: O(update), if something is held. */
  confirm(update: Uint8Array): void {
    if (this.#hinted.length === 0) return;
    const told = reachOf(update);
    if (told === undefined) return;
    const [writes, deletes] = [byClient(told.writes), byClient(told.deletes)];
    for (const hinted of this.#hinted) {
      const { left } = hinted;
      hinted.left = { writes: subtract(left.writes, writes), deletes: subtract(left.deletes, deletes) };
    }
    this.#hinted = this.#hinted.filter(({ left }) => left.writes.length + left.deletes.length > 0);
  }

  /** These are stored with something of this device. */
  drop(updates: readonly Uint8Array[]): void {
    this.#hinted = this.#hinted.filter(({ update }) => !updates.includes(update));
  }

  clear(): void {
    this.#hinted = [];
  }
}

/** Undefined: Yjs cannot read it. It is of another device, and nobody has checked it. */
function reachOf(update: Uint8Array): Reach | undefined {
  try {
    applyUpdate(new Doc(), update);
    const { structs, ds } = decodeUpdate(mergeUpdates([NOTHING, update]));
    const written = structs.filter((struct) => !(struct instanceof Skip));
    const writes = written.map(({ id: { client, clock }, length }): Range => ({ client, from: clock, to: clock + length }));
    const deletes = [...ds.clients].flatMap(([client, items]) =>
      items.map(({ clock, len }): Range => ({ client, from: clock, to: clock + len })),
    );
    return { writes, deletes };
  } catch {
    return undefined;
  }
}

/** As Yjs merges them: those of a client ascend, and are apart. */
function byClient(ranges: readonly Range[]): ReadonlyMap<number, readonly Range[]> {
  const found = new Map<number, Range[]>();
  for (const range of ranges) {
    const known = found.get(range.client);
    if (known === undefined) found.set(range.client, [range]);
    else known.push(range);
  }
  return found;
}

/** Later writes of a client say nothing of earlier ones: somebody else may have stored them, who never heard of those. */
function subtract(ranges: readonly Range[], told: ReadonlyMap<number, readonly Range[]>): readonly Range[] {
  return ranges.flatMap((one) => {
    const cuts = told.get(one.client) ?? [];
    const left: Range[] = [];
    let { from } = one;
    for (let at = firstAfter(cuts, from); at < cuts.length && cuts[at]!.from < one.to; at++) {
      if (cuts[at]!.from > from) left.push({ ...one, from, to: cuts[at]!.from });
      from = cuts[at]!.to;
    }
    if (from < one.to) left.push({ ...one, from });
    return left;
  });
}

/** The first that ends after this clock: somebody else may have sent a hundred thousand of them. */
function firstAfter(ranges: readonly Range[], clock: number): number {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.to > clock) high = middle;
    else low = middle + 1;
  }
  return low;
}
