import { applyUpdate, Doc, decodeUpdate, encodeStateAsUpdate, mergeUpdates } from 'yjs';

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

  /** The log has told this, which may be several of what was hinted. */
  confirm(update: Uint8Array): void {
    if (this.#hinted.length === 0) return;
    const told = reachOf(update);
    if (told === undefined) return;
    for (const hinted of this.#hinted) hinted.left = without(hinted.left, told);
    this.#hinted = this.#hinted.filter(({ left }) => left.writes.length + left.deletes.length > 0);
  }

  /** These are stored with something of this device. */
  drop(updates: readonly Uint8Array[]): void {
    this.#hinted = this.#hinted.filter(({ update }) => !updates.includes(update));
  }

  /** The whole document as it is stored: what it has is confirmed. Cost: O(document), if something is held. */
  compare(document: Uint8Array): void {
    if (this.#hinted.length === 0) return;
    const doc = new Doc();
    applyUpdate(doc, document);
    this.#hinted = this.#hinted.filter(({ update }) => {
      const before = encodeStateAsUpdate(doc);
      try {
        applyUpdate(doc, update);
      } catch {
        return true;
      }
      return !isEqual(before, encodeStateAsUpdate(doc));
    });
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
    const writes = structs.map(({ id: { client, clock }, length }): Range => ({ client, from: clock, to: clock + length }));
    const deletes = [...ds.clients].flatMap(([client, items]) =>
      items.map(({ clock, len }): Range => ({ client, from: clock, to: clock + len })),
    );
    return { writes, deletes };
  } catch {
    return undefined;
  }
}

function without(left: Reach, told: Reach): Reach {
  // A client's writes come to the log in their order: who is told of later ones was told of these.
  const writes = left.writes.filter((one) => !told.writes.some(({ client, to }) => client === one.client && to >= one.to));
  const isIn = (one: Range): boolean =>
    told.deletes.some(({ client, from, to }) => client === one.client && from <= one.from && to >= one.to);
  return { writes, deletes: left.deletes.filter((one) => !isIn(one)) };
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
