import type { CollabDocument } from '@terndb/client/yjs';
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { contentKey } from '../content-key.ts';

/** Somebody else who has the document open. */
export interface Peer<T extends object = Readonly<Record<string, unknown>>> {
  /** One per tab; of this visit only. */
  readonly peer: number;
  /** The name in their token, which they cannot choose; empty for tabs of this device. */
  readonly subject: string;
  /** What they say of themselves: what this one says, and `cursor` of editors. Of other devices, and not checked: anything may be in it. */
  readonly state: Readonly<Partial<T>>;
}

type Awareness = CollabDocument['awareness'];

const NOBODY: readonly Peer[] = [];
const nobody = (): readonly Peer[] => NOBODY;

/**
 * Who else has the document open, by `useCollab` or `useCollabText`; joins while a component asks. `own`: what others are to see of this one, for
 * example `{ user: { name, color } }`, compared by content, so that it may be written inline. null skips.
 */
export function usePresence<T extends object = Readonly<Record<string, unknown>>>(
  document: CollabDocument | null,
  own?: T,
): readonly Peer<T>[] {
  const peers = useMemo(() => new Peers(document), [document]);
  const key = contentKey(own ?? null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: own is new with every render; its key says when it differs.
  useEffect(() => peers.say({ ...own }), [peers, key]);
  return useSyncExternalStore(peers.subscribe, peers.get, nobody) as readonly Peer<T>[];
}

/** The peers of a document for `useSyncExternalStore`, through all its generations. */
class Peers {
  readonly #document: CollabDocument | null;
  readonly #listeners = new Set<() => void>();
  #peers: readonly Peer[] = NOBODY;
  #awareness: Awareness | undefined;
  #own: Readonly<Record<string, unknown>> = {};
  #stop: () => void = () => {};

  constructor(document: CollabDocument | null) {
    this.#document = document;
  }

  readonly get = (): readonly Peer[] => this.#peers;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#follow();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  };

  /** Returns the way to take it back. */
  say(own: Readonly<Record<string, unknown>>): () => void {
    this.#own = own;
    this.#tell(own);
    return () => {
      this.#own = {};
      this.#tell(Object.fromEntries(Object.keys(own).map((name) => [name, null])));
    };
  }

  #follow(): void {
    const document = this.#document;
    if (document === null) return;
    const unsubscribe = document.state.subscribe(() => this.#join(document));
    this.#stop = () => {
      unsubscribe();
      this.#awareness?.off('change', this.#changed);
      this.#awareness = undefined;
      this.#peers = NOBODY;
    };
    this.#join(document);
  }

  /** Each generation has an awareness of its own; a closed document has none, and asking would make one. */
  #join(document: CollabDocument): void {
    const awareness = document.state.get().name === 'closed' ? undefined : document.awareness;
    if (awareness === this.#awareness) return;
    this.#awareness?.off('change', this.#changed);
    this.#awareness = awareness;
    awareness?.on('change', this.#changed);
    this.#tell(this.#own);
    this.#changed();
  }

  #tell(fields: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(fields)) this.#awareness?.setLocalStateField(name, value);
  }

  readonly #changed = (): void => {
    const awareness = this.#awareness;
    this.#peers =
      awareness === undefined
        ? NOBODY
        : [...awareness.getStates()].flatMap(([peer, { subject, ...state }]) =>
            peer === awareness.clientID ? [] : [{ peer, subject: typeof subject === 'string' ? subject : '', state }],
          );
    for (const listener of [...this.#listeners]) listener();
  };
}
