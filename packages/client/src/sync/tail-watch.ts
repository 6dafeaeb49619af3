import type { Clock } from '@terndb/core';
import type { Replication } from '@terndb/engine';
import type { SyncPlace } from './host-types.ts';

/** Rows and bytes over the adopted manifest at which a newer one is asked for: what a server seals at. */
const ADOPT_ROWS = 20_000;
const ADOPT_BYTES: number = 32 * 1024 * 1024;
/** The server may have none yet. */
const ADOPT_EVERY_MS = 60_000;

/** A tail that has grown long is shed by adopting a newer manifest, so that memory and the stored tail stay bounded. */
export class TailWatch {
  readonly #replication: Replication;
  readonly #clock: Clock;
  readonly #askedAtMs = new Map<string, number>();

  constructor(replication: Replication, clock: Clock) {
    this.#replication = replication;
    this.#clock = clock;
  }

  /** Channels for which a manifest above a position is to be asked for now. */
  due(places: readonly SyncPlace[]): readonly { readonly channel: string; readonly above: number }[] {
    const nowMs = this.#clock.monotonicMs();
    return places.flatMap(({ channel }) => {
      const state = this.#replication.state(channel);
      if (state === undefined || (state.growingRows <= ADOPT_ROWS && state.growingBytes <= ADOPT_BYTES)) return [];
      if (nowMs - (this.#askedAtMs.get(channel) ?? Number.NEGATIVE_INFINITY) < ADOPT_EVERY_MS) return [];
      this.#askedAtMs.set(channel, nowMs);
      return [{ channel, above: state.position - state.growingRows }];
    });
  }
}
