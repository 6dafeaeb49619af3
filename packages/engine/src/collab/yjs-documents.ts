import type { CollectionDefinition, PrimaryKey, StoredFields, StoredValue } from '@terndb/core';
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs';
import { jsonOf } from './json-view.ts';
import { COLLAB_TEXT_ROOT } from './roots.ts';
import { splitPut, takeDocuments } from './split-put.ts';
import {
  type CollabDocuments,
  type CollabKind,
  type CollabLink,
  type CollabMerge,
  type CollabState,
  collabBytes,
  type PutParts,
  type TakenDocuments,
} from './types.ts';

/** Who writes the text of a put into its document: everybody must make the same bytes of it. Yjs draws ids from 2^32. */
const SEED_CLIENT_ID = 1;
/** An update without structs and deletions. */
const EMPTY_UPDATE: Uint8Array = Uint8Array.of(0, 0);
/** Updates kept one by one before they are merged: who follows a document is sent these, and opening one applies them. */
const MAX_TAIL_LENGTH = 128;
const MIN_TAIL_BYTES: number = 32 * 1024;
/** Documents held as Yjs has them, which takes many times their bytes: those edited lately. */
const MAX_OPEN_DOCUMENTS = 32;
const MAX_OPEN_BYTES: number = 8 * 1024 * 1024;

/** Yjs behind the engine's interface. */
export function createCollabDocuments(): CollabDocuments {
  return new YjsDocuments();
}

class YjsDocuments implements CollabDocuments {
  /** Of the newest states, least recently used first. A document moves on with its state. */
  readonly #open = new Map<number, { readonly doc: Doc; readonly bytes: number }>();
  #openBytes = 0;
  #serial = 0;

  begin(kind: CollabKind, value: StoredValue): CollabState {
    if (kind === 'collab') return this.stored(value instanceof Uint8Array ? value : EMPTY_UPDATE);
    const doc = new Doc();
    doc.clientID = SEED_CLIENT_ID;
    if (typeof value === 'string' && value !== '') doc.getText(COLLAB_TEXT_ROOT).insert(0, value);
    return this.stored(encodeStateAsUpdate(doc));
  }

  stored(head: Uint8Array): CollabState {
    return { serial: this.#nextSerial(), head, tail: null, tailLength: 0, tailBytes: 0, last: null, isPending: false };
  }

  merge(kind: CollabKind, before: CollabState, update: Uint8Array, isPending: boolean): CollabMerge | undefined {
    // The document of the log stays with the log: the next update of others is for it.
    const isOwn = before.isPending === isPending;
    const doc = (isOwn ? this.#take(before.serial) : undefined) ?? openDoc(before);
    try {
      applyUpdate(doc, update);
      const value = kind === 'collabText' ? doc.getText(COLLAB_TEXT_ROOT).toString() : encodeStateAsUpdate(doc);
      const state = this.#next(before, update, isPending, doc);
      this.#keep(state, doc);
      return { state, value };
    } catch {
      // Half applied, perhaps: the document is read again from its bytes.
      return undefined;
    }
  }

  bytesOf(state: CollabState): Uint8Array {
    if (state.tail === null) return state.head;
    return encodeStateAsUpdate(this.#open.get(state.serial)?.doc ?? openDoc(state));
  }

  jsonOf(update: Uint8Array): string {
    return jsonOf(update);
  }

  isUpdate(update: Uint8Array): boolean {
    try {
      applyUpdate(new Doc(), update);
      return true;
    } catch {
      return false;
    }
  }

  takeDocuments(definition: CollectionDefinition, collection: string, entity: unknown): TakenDocuments | undefined {
    return takeDocuments(this, definition, collection, entity);
  }

  splitPut(
    place: { readonly definition: CollectionDefinition; readonly collection: string; readonly pk: PrimaryKey },
    fields: StoredFields,
  ): PutParts {
    return splitPut(this, place, fields);
  }

  #next(before: CollabState, update: Uint8Array, isPending: boolean, doc: Doc): CollabState {
    const serial = this.#nextSerial();
    const last: CollabLink = { serial, update, beforeSerial: before.serial, before: before.tail };
    const tailLength = before.tailLength + 1;
    const tailBytes = before.tailBytes + update.length;
    if (tailLength <= MAX_TAIL_LENGTH && tailBytes <= Math.max(MIN_TAIL_BYTES, before.head.length / 2))
      return { serial, head: before.head, tail: last, tailLength, tailBytes, last, isPending };
    const merged = { ...last, before: null };
    return { serial, head: encodeStateAsUpdate(doc), tail: null, tailLength: 0, tailBytes: 0, last: merged, isPending };
  }

  #take(serial: number): Doc | undefined {
    const held = this.#open.get(serial);
    if (held === undefined) return undefined;
    this.#open.delete(serial);
    this.#openBytes -= held.bytes;
    return held.doc;
  }

  #keep(state: CollabState, doc: Doc): void {
    const bytes = collabBytes(state);
    this.#open.set(state.serial, { doc, bytes });
    this.#openBytes += bytes;
    for (const [serial] of this.#open) {
      // The one just used stays, however large.
      if (serial === state.serial || (this.#open.size <= MAX_OPEN_DOCUMENTS && this.#openBytes <= MAX_OPEN_BYTES)) return;
      this.#take(serial)?.destroy();
    }
  }

  #nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }
}

/** Cost: O(document). */
function openDoc(state: CollabState): Doc {
  const doc = new Doc();
  const tail: Uint8Array[] = [];
  for (let link = state.tail; link !== null; link = link.before) tail.push(link.update);
  doc.transact(() => {
    tryApply(doc, state.head);
    for (const update of tail.reverse()) tryApply(doc, update);
  });
  return doc;
}

/** What a put of others brought as bytes may be none of Yjs': then the document begins empty. */
function tryApply(doc: Doc, update: Uint8Array): void {
  try {
    applyUpdate(doc, update);
  } catch {
    // The same on every device: what is folded is the same.
  }
}
