import type { CollabBase, CollabPlace } from '@terndb/engine';
import { type Hint, MAX_HINT_BYTES } from '@terndb/sync';

/** A document: its entity and field, and the put that began it, as all devices name them. */
export interface HintPlace {
  readonly collection: string;
  readonly partition: string;
  readonly topic: string;
}
type Listener = (update: Uint8Array) => void;
type Say = (place: HintPlace, hint: Pick<Hint, 'what' | 'update'>) => void;

const NOTHING = new Uint8Array(0);

/**
 * Updates of documents told to the devices that have them open while they are on their way to the log (ADR 79). Kept nowhere; what is lost the log
 * tells.
 */
export class Hints {
  readonly #say: Say;
  readonly #topics = new Map<string, { readonly place: HintPlace; readonly listeners: Set<Listener> }>();

  constructor(say: Say) {
    this.#say = say;
  }

  /** Hears what others type into this document. Returns the way to stop. */
  join(document: CollabPlace, base: CollabBase, listener: Listener): () => void {
    const place = placeOf(document, base);
    if (place === undefined) return () => {};
    const name = nameOf(place);
    const known = this.#topics.get(name) ?? { place, listeners: new Set() };
    if (known.listeners.size === 0) this.#say(place, { what: 'join', update: NOTHING });
    this.#topics.set(name, known);
    known.listeners.add(listener);
    return () => {
      if (!known.listeners.delete(listener) || known.listeners.size > 0) return;
      this.#topics.delete(name);
      this.#say(place, { what: 'leave', update: NOTHING });
    };
  }

  /** What was written here, and is not in the log yet. */
  update(document: CollabPlace, base: CollabBase, update: Uint8Array): void {
    const place = placeOf(document, base);
    if (place !== undefined && update.length <= MAX_HINT_BYTES) this.#say(place, { what: 'update', update });
  }

  /** What a server passes on. */
  heard(place: HintPlace, update: Uint8Array): void {
    for (const listener of [...(this.#topics.get(nameOf(place))?.listeners ?? [])]) listener(update);
  }

  /** Another connection knows nobody. */
  joinAgain(): void {
    for (const { place } of this.#topics.values()) this.#say(place, { what: 'join', update: NOTHING });
  }
}

/** Undefined: of this device only, or begun by a put whose number not everybody knows. */
function placeOf({ collection, partition, key, field }: CollabPlace, { clientId, seq, home }: CollabBase): HintPlace | undefined {
  if (home !== 'server' || seq === 0) return undefined;
  return { collection, partition, topic: JSON.stringify([String(key), field, clientId, seq]) };
}

function nameOf({ collection, partition, topic }: HintPlace): string {
  return `${collection}\n${partition}\n${topic}`;
}
