import type { Clock } from '@terndb/core';
import type { ServerNode } from '../../node/types.ts';

export interface Used {
  rows: number;
  bytes: number;
}

/** What is held is counted at most this often: it looks at every channel. Between two counts what was admitted is added. */
const MAX_AGE_MS = 1_000;
/** Before somebody is refused it is counted anew, unless it just was: rows may have been deleted. */
const MIN_AGE_MS = 100;

/** Live rows, and bytes of segments and of the log behind them, by database and collection. What is under way when it is counted is missing. */
export class Usage {
  readonly #node: Pick<ServerNode, 'inspect'>;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #used = new Map<string, Used>();
  #countedAtMs = Number.NEGATIVE_INFINITY;

  constructor(node: Pick<ServerNode, 'inspect'>, clock: Pick<Clock, 'monotonicMs'>) {
    this.#node = node;
    this.#clock = clock;
  }

  of(database: string, collection?: string): Readonly<Used> {
    if (this.#clock.monotonicMs() - this.#countedAtMs >= MAX_AGE_MS) this.#count();
    return this.#get(database, collection);
  }

  /** Counted anew. False: it was just now. */
  recount(): boolean {
    if (this.#clock.monotonicMs() - this.#countedAtMs < MIN_AGE_MS) return false;
    this.#count();
    return true;
  }

  add(database: string, collection: string, more: Readonly<Used>): void {
    for (const used of [this.#get(database), this.#get(database, collection)]) {
      used.rows += more.rows;
      used.bytes += more.bytes;
    }
  }

  #get(database: string, collection?: string): Used {
    // Names are identifiers.
    const key = collection === undefined ? database : `${database}/${collection}`;
    const known = this.#used.get(key);
    if (known !== undefined) return known;
    const used = { rows: 0, bytes: 0 };
    this.#used.set(key, used);
    return used;
  }

  #count(): void {
    this.#used = new Map();
    this.#countedAtMs = this.#clock.monotonicMs();
    for (const { database, collection, entities, bytes, unsealedBytes } of this.#node.inspect().channels)
      this.add(database, collection, { rows: entities, bytes: bytes + unsealedBytes });
  }
}
