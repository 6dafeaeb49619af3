import type { CollectionDefinition, Origin, PrimaryKey, StoredFields, StoredValue } from '@terndb/core';

/** Kinds of fields whose values are Yjs documents. */
export type CollabKind = 'collab' | 'collabText';

/** One merged update and the state it was merged into, newest first. */
export interface CollabLink {
  /** Of the state that this update made. */
  readonly serial: number;
  readonly update: Uint8Array;
  /** Of the state before it. */
  readonly beforeSerial: number;
  readonly before: CollabLink | null;
}

/**
 * A Yjs document as a row keeps it: merged bytes, and what was merged since, shared with the rows before. Immutable. A row without one has the
 * document that its put began: of a text the seed, of an opaque document the bytes of the put.
 */
export interface CollabState {
  /** Distinct within this process. */
  readonly serial: number;
  /** A Yjs update (v1) that holds everything but `tail`. */
  readonly head: Uint8Array;
  readonly tail: CollabLink | null;
  readonly tailLength: number;
  readonly tailBytes: number;
  /** What made it, also where that is part of `head` already. */
  readonly last: CollabLink | null;
  /** Made by the outbox, over a document of the log. */
  readonly isPending: boolean;
}

export interface CollabMerge {
  readonly state: CollabState;
  /** What the field reads as now: of a text the text, of an opaque document its bytes. */
  readonly value: StoredValue;
}

/** What the engine asks of Yjs. The code is loaded when the first collection with such a field is opened. */
export interface CollabDocuments {
  /** The document that a put begins with this value: the same bytes everywhere, so that everybody's updates fit. */
  begin(kind: CollabKind, value: StoredValue): CollabState;
  /** As it was sealed. */
  stored(head: Uint8Array): CollabState;
  /**
   * Undefined where Yjs refuses the update: the document stays as it was. Cost: the update, and the text once; the whole document when it was not
   * used lately.
   */
  merge(kind: CollabKind, before: CollabState, update: Uint8Array, isPending: boolean): CollabMerge | undefined;
  /** The whole document as one update (v1). */
  bytesOf(state: CollabState): Uint8Array;
  /** Whether Yjs can read it, alone. */
  isUpdate(update: Uint8Array): boolean;
  /** What an opaque document reads as: the JSON text of its root types. Never fails. */
  jsonOf(update: Uint8Array): string;
  /**
   * Takes the documents out of an entity that is to be put, until `splitPut` says how they travel. Undefined: there is none, or what there is the put
   * refuses. ENTITY_TOO_LARGE beyond MAX_COLLAB_BYTES.
   */
  takeDocuments(definition: CollectionDefinition, collection: string, entity: unknown): TakenDocuments | undefined;
  /**
   * A put that fits an op: the largest documents begin empty, and come as updates of the put's own documents, each small enough for an op.
   * ENTITY_TOO_LARGE when a document is larger than one may be.
   */
  splitPut(
    place: { readonly definition: CollectionDefinition; readonly collection: string; readonly pk: PrimaryKey },
    fields: StoredFields,
  ): PutParts;
}

export interface TakenDocuments {
  /** Without them. */
  readonly entity: Readonly<Record<string, unknown>>;
  readonly documents: StoredFields;
}

export interface PutParts {
  readonly fields: StoredFields;
  /** In the order of the log, though any order would do. */
  readonly updates: readonly { readonly field: string; readonly update: Uint8Array }[];
}

/** Base of an update that comes with its put: what the put's (clientId, seq) will be is not known yet. Ids of clients are not empty. */
export const OWN_PUT: Origin = { clientId: '', seq: 0 };

export function isOwnPut({ clientId }: Origin): boolean {
  return clientId === '';
}

/**
 * What editors of a document name. `home`: who leads the channel. When a local partition is connected its entities are put anew, and the seqs of
 * this device begin anew with them: the same numbers would name another document.
 */
export interface CollabBase extends Origin {
  readonly home: 'device' | 'server';
}

/** About what the document takes in an op; what MAX_COLLAB_BYTES is compared with. */
export function collabBytes({ head, tailBytes }: CollabState): number {
  return head.length + tailBytes;
}

/** The updates that lead from a state whose serial is known to this one, oldest first; undefined: only the whole document does. */
export function updatesSince(state: CollabState, known: ReadonlySet<number>): readonly CollabLink[] | undefined {
  if (known.has(state.serial)) return [];
  if (state.last !== null && known.has(state.last.beforeSerial)) return [state.last];
  const links: CollabLink[] = [];
  for (let link = state.tail; link !== null; link = link.before) {
    links.push(link);
    if (known.has(link.beforeSerial)) return links.reverse();
  }
  return undefined;
}
