import { useCallback, useEffect, useRef, useState } from 'react';
import { usePassages } from '../library/library-context.tsx';
import { layOutInWorker } from './layout-in-worker.ts';
import { MIN_ROWS } from './layout-limits.ts';
import type { LayoutAnswer } from './layout-protocol.ts';
import { type MapPoint, readPoints } from './read-points.ts';

export interface MeaningMap {
  readonly points: readonly MapPoint[];
  /** Two numbers per point. */
  readonly places: Float32Array;
  /** Passages the points were drawn from. */
  readonly of: number;
}
export type MapState =
  | { readonly name: 'reading' | 'comparing' | 'laying'; readonly share: number }
  | { readonly name: 'none' | 'done' | 'stopped' }
  | { readonly name: 'too-few'; readonly count: number }
  | { readonly name: 'failed'; readonly message: string };

export interface MeaningMapHandle {
  readonly state: MapState;
  /** As far as it is drawn. */
  readonly map: MeaningMap | null;
  /** Begins anew, whatever was under way. */
  readonly draw: () => void;
  /** What is drawn by then stays. */
  readonly cancel: () => void;
}

/** The last one that was drawn to its end: the way back from the list to the map is short. One per page, as the library. */
let kept: MeaningMap | null = null;

/** The map of the library, drawn when first asked for and kept until it is drawn again. */
export function useMeaningMap(): MeaningMapHandle {
  const passages = usePassages();
  const [state, setState] = useState<MapState>({ name: kept === null ? 'none' : 'done' });
  const [map, setMap] = useState<MeaningMap | null>(kept);
  const abort = useRef<AbortController | null>(null);

  const draw = useCallback((): void => {
    abort.current?.abort();
    abort.current = new AbortController();
    const { signal } = abort.current;
    const failed = (error: unknown): void => {
      if (!signal.aborted) setState({ name: 'failed', message: error instanceof Error ? error.message : String(error) });
    };
    setState({ name: 'reading', share: 0 });
    readPoints(passages, signal, (share) => signal.aborted || setState({ name: 'reading', share })).then(({ points, vectors, dim, of }) => {
      if (signal.aborted) return;
      if (points.length < MIN_ROWS) {
        setMap(null);
        setState({ name: 'too-few', count: points.length });
        return;
      }
      const onAnswer = (answer: LayoutAnswer): void => {
        if ('places' in answer) {
          const drawn = { points, places: answer.places, of };
          setMap(drawn);
          if (answer.type === 'done') kept = drawn;
        }
        setState(stateOf(answer));
      };
      layOutInWorker({ vectors, dim }, onAnswer, signal);
    }, failed);
  }, [passages]);

  const cancel = useCallback((): void => {
    abort.current?.abort();
    setState({ name: 'stopped' });
  }, []);
  useEffect(() => {
    if (kept === null) draw();
    return () => abort.current?.abort();
  }, [draw]);
  return { state, map, draw, cancel };
}

function stateOf(answer: LayoutAnswer): MapState {
  switch (answer.type) {
    case 'comparing':
      return { name: 'comparing', share: answer.share };
    case 'laying':
      return { name: 'laying', share: answer.share };
    case 'done':
      return { name: 'done' };
    case 'failed':
      return { name: 'failed', message: answer.message };
  }
}
