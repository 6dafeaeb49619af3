import { DbError } from '@terndb/core';
import type { Engine, SearchRequest, SearchResult } from '@terndb/engine';
import type { EmbeddingService } from './embedding-service.ts';

export interface SearchEvents {
  onResult(result: SearchResult): void;
  onError(error: DbError): void;
}

/**
 * A live search by text: the engine's, with the vectors of the text, begun anew when the embedder is there and when rows go from one model to another.
 * Until then keywords answer.
 */
export function watchByMeaning(
  embedding: EmbeddingService,
  engine: Pick<Engine, 'watchSearch'>,
  request: SearchRequest,
  events: SearchEvents,
): () => void {
  let isStopped = false;
  let round = 0;
  let stop: () => void = () => {};
  const begin = async (): Promise<void> => {
    const own = ++round;
    const isOver = (): boolean => isStopped || own !== round;
    try {
      const embedded = await embedding.withVectors(request);
      if (isOver()) return;
      stop();
      stop = engine.watchSearch(
        embedded,
        (result) => events.onResult(result),
        (error) => events.onError(error),
      );
    } catch (thrown) {
      if (!isOver()) events.onError(DbError.from(thrown));
    }
  };
  const unsubscribe = embedding.onSpaces(() => void begin());
  void begin();
  return () => {
    isStopped = true;
    unsubscribe();
    stop();
  };
}
