import type { Collection, DbError } from '@terndb/client';
import type { CollabDocument, CollabState } from '@terndb/client/yjs';

/** What components see of a document. */
export interface CollabView {
  /** null until it is open. */
  readonly document: CollabDocument | null;
  readonly state: CollabState | null;
  /** Why it cannot be opened, or the last edit cannot be kept. */
  readonly error: DbError | null;
}

export type CollabCollection = Pick<Collection<any>, 'name' | 'definition'>;
type PrimaryKey = Parameters<typeof import('@terndb/client/yjs')['openCollab']>[1];

export interface CollabPlace {
  readonly collection: CollabCollection;
  readonly key: PrimaryKey;
  readonly field: string;
  readonly partition: string | undefined;
}

export const NOT_OPEN: CollabView = { document: null, state: null, error: null };

/**
 * One document for all components that show it: opened when the first of them is there, closed (what was typed is written first) when the last one
 * is gone. React's strict mode takes a component away and puts it back in one go: closing waits for the end of the turn. Yjs is loaded by the first.
 */
export class SharedDocument {
  readonly #place: CollabPlace;
  readonly #shelf: Map<string, SharedDocument>;
  readonly #name: string;
  readonly #listeners = new Set<() => void>();
  #view: CollabView = NOT_OPEN;
  /** Rises when it is opened and closed: what an older run began ends. */
  #run = 0;
  #isOpen = false;
  #stop: () => void = () => {};

  constructor(place: CollabPlace, shelf: Map<string, SharedDocument>, name: string) {
    this.#place = place;
    this.#shelf = shelf;
    this.#name = name;
  }

  readonly get = (): CollabView => this.#view;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (!this.#isOpen) this.#open();
    return () => {
      this.#listeners.delete(listener);
      setTimeout(() => {
        if (this.#listeners.size === 0 && this.#isOpen) this.#close();
      });
    };
  };

  #open(): void {
    this.#isOpen = true;
    this.#run += 1;
    const run = this.#run;
    if (!this.#shelf.has(this.#name)) this.#shelf.set(this.#name, this);
    const { collection, key, field, partition } = this.#place;
    const opening = import('@terndb/client/yjs').then(({ openCollab }) =>
      openCollab(collection, key, field, partition === undefined ? {} : { partition }),
    );
    opening.then(
      (document) => {
        if (run === this.#run) this.#adopt(document);
        else void document.close();
      },
      (error: DbError) => {
        if (run === this.#run) this.#set({ ...NOT_OPEN, error });
      },
    );
  }

  #adopt(document: CollabDocument): void {
    const look = (): void => {
      const state = document.state.get();
      this.#set({ document, state, error: state.error });
    };
    const unsubscribe = document.state.subscribe(look);
    this.#stop = () => {
      unsubscribe();
      void document.close();
    };
    look();
  }

  #close(): void {
    this.#isOpen = false;
    this.#run += 1;
    if (this.#shelf.get(this.#name) === this) this.#shelf.delete(this.#name);
    this.#view = NOT_OPEN;
    this.#stop();
    this.#stop = () => {};
  }

  #set(view: CollabView): void {
    this.#view = view;
    for (const listener of [...this.#listeners]) listener();
  }
}

const shelves = new WeakMap<object, Map<string, SharedDocument>>();

/** The same one for the same place. Costs nothing until somebody subscribes. */
export function sharedDocument(place: CollabPlace): SharedDocument {
  const { collection, key, field, partition = '' } = place;
  let shelf = shelves.get(collection);
  if (shelf === undefined) {
    shelf = new Map();
    shelves.set(collection, shelf);
  }
  const name = JSON.stringify([typeof key, String(key), field, partition]);
  let shared = shelf.get(name);
  if (shared === undefined) {
    shared = new SharedDocument(place, shelf, name);
    // For the other components of this render; it leaves when it is closed.
    shelf.set(name, shared);
  }
  return shared;
}
