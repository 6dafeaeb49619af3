import type { DbError } from '@terndb/core';
import type { WorkerConnection } from '../worker/connection.ts';
import type { LiveResult, WatchRequest, WatchResult } from '../worker/protocol.ts';
import { EntityCache } from './entity-cache.ts';
import { onNextFrame } from './frames.ts';

export interface LiveListener {
  /** Versions and all. */
  onResult(result: LiveResult): void;
  onError(error: DbError): void;
}

/**
 * A live query: whole results, at most one per frame, entities that did not change keep their identity. The worker's next result waits until
 * this one is delivered, so that a page that is busy is not buried. Nothing is delivered after the stop.
 */
export function startLive(connection: WorkerConnection, watch: WatchRequest, listener: LiveListener): () => void {
  const cache = new EntityCache();
  let stopped = false;
  let cancel: () => void = () => {};
  const deliver = (result: WatchResult): void => listener.onResult(cache.stabilise(result as LiveResult));
  const stop = connection.watch(watch, {
    onResult: (result) =>
      new Promise((resolve) => {
        const cancelFrame = onNextFrame(() => {
          resolve();
          if (!stopped) deliver(result);
        });
        // The worker waits for this promise: it is settled with the stop, too.
        cancel = () => {
          cancelFrame();
          resolve();
        };
      }),
    onError: (error) => {
      if (!stopped) listener.onError(error);
    },
  });
  return () => {
    stopped = true;
    cancel();
    stop();
  };
}
