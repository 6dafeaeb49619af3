/** Where a page says where somebody is: a document. */
export interface PresencePlace {
  readonly collection: string;
  readonly partition: string;
  readonly topic: string;
}
export interface PresenceSaid extends PresencePlace {
  readonly peer: number;
  /** Opaque; empty: gone. */
  readonly state: Uint8Array;
}
export interface PresenceNews {
  readonly peer: number;
  /** Of the token under which it was said; empty: on this device. */
  readonly subject: string;
  readonly state: Uint8Array;
}

/** The way to others: a server, if there is a connection. */
export type SayToOthers = (said: PresenceSaid) => void;

/**
 * What pages of this device say of where they are, told to each other and to the server's others; what those say, told to the pages. Kept nowhere:
 * whoever comes later hears it with the next beat of who is there (pages repeat themselves every 15 s), or from the server at once.
 */
export class PresenceDesk {
  readonly #listeners = new Map<string, Set<(news: PresenceNews) => void>>();
  /** Newest of each peer of this device, to be said again on another connection. */
  readonly #own = new Map<string, PresenceSaid>();
  /** Set while there is a way. */
  sayToOthers: SayToOthers | undefined;

  say(said: PresenceSaid): void {
    const name = nameOf(said);
    const own = `${name}\n${said.peer}`;
    if (said.state.length === 0) this.#own.delete(own);
    else this.#own.set(own, said);
    this.#tell(name, { peer: said.peer, subject: '', state: said.state });
    this.sayToOthers?.(said);
  }

  /** What a server passes on. */
  heard(place: PresencePlace, news: PresenceNews): void {
    this.#tell(nameOf(place), news);
  }

  /** Another connection knows nobody. */
  sayAgain(): void {
    for (const said of this.#own.values()) this.sayToOthers?.(said);
  }

  listen(place: PresencePlace, listener: (news: PresenceNews) => void): () => void {
    const name = nameOf(place);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    for (const said of this.#own.values()) if (nameOf(said) === name) listener({ peer: said.peer, subject: '', state: said.state });
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(name);
    };
  }

  #tell(name: string, news: PresenceNews): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(news);
  }
}

function nameOf({ collection, partition, topic }: PresencePlace): string {
  return `${collection}\n${partition}\n${topic}`;
}
