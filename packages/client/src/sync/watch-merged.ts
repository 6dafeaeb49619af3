import { type Clock, DbError } from '@terndb/core';
import type { LiveResult } from '../worker/protocol.ts';

/** Rows that are only on the server tell nobody when they change: it is asked again after this. */
const ASK_AGAIN_MS = 10_000;

export interface MergedWatch {
  readonly clock: Clock;
  /** Whether the server has a part in the answer now. */
  asksServer(): boolean;
  /** Called when that may have changed. Returns the way to stop. */
  onLink(listener: () => void): () => void;
  /** The whole answer, the server's part included; `degraded` says where it did not come. */
  read(): Promise<LiveResult>;
  /** The engine's own live query. Returns the way to stop. */
  watchHere(onResult: (result: LiveResult) => void, onError: (error: DbError) => void): () => void;
}
export interface LiveEvents {
  onResult(result: LiveResult): void;
  onError(error: DbError): void;
}

/**
 * A live query of rows here and on a server: what is here first, then merged with the server's answer. From then on what changes here is shown
 * with the server's next answer, which a hybrid read does not wait for longer than its budget.
 */
export function watchMerged(watch: MergedWatch, { onResult, onError }: LiveEvents): () => void {
  let isStopped = false;
  let isMerged = false;
  let isAsking = false;
  let isStale = false;
  let last = '';
  let cancel: () => void = () => {};
  const show = (result: LiveResult): void => {
    const text = JSON.stringify(result, comparable);
    if (isStopped || text === last) return;
    last = text;
    onResult(result);
  };
  const ask = async (): Promise<void> => {
    if (isAsking) {
      isStale = true;
      return;
    }
    isAsking = true;
    cancel();
    do {
      isStale = false;
      try {
        const result = await watch.read();
        isMerged = true;
        show(result);
      } catch (thrown) {
        if (!isStopped) onError(DbError.from(thrown));
      }
    } while (isStale && !isStopped);
    isAsking = false;
    if (!isStopped) cancel = watch.clock.after(ASK_AGAIN_MS, () => watch.asksServer() && void ask());
  };
  const stopHere = watch.watchHere((here) => {
    if (watch.asksServer()) {
      if (!isMerged) show(here);
      void ask();
    } else {
      isMerged = false;
      show(here);
    }
  }, onError);
  let didAsk = watch.asksServer();
  const stopLink = watch.onLink(() => {
    const asks = watch.asksServer();
    if (asks === didAsk) return;
    didAsk = asks;
    void ask();
  });
  return () => {
    isStopped = true;
    cancel();
    stopHere();
    stopLink();
  };
}

/** Ages change all the time, and are no reason to tell. */
function comparable(name: string, value: unknown): unknown {
  if (name === 'stalenessMs') return undefined;
  return typeof value === 'bigint' ? `${value}n` : value;
}
