import { DbError } from '@terndb/client';
import type { CollabDocument, CollabState } from '@terndb/client/yjs';
import { openCollab } from '@terndb/client/yjs';
import { useEffect, useState } from 'react';
import { usePassages } from '../library/library-context.tsx';

export interface OpenDocument {
  readonly document: CollabDocument;
  readonly state: CollabState;
}

/** The document of a passage's text, open as long as the component is there; null until it is. What was typed is written before it closes. */
export function useCollab(key: string, onFailed: (error: DbError) => void): OpenDocument | null {
  const passages = usePassages();
  const [open, setOpen] = useState<OpenDocument | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the latest listener is not worth another document.
  useEffect(() => {
    let isOver = false;
    let stop = (): void => {};
    const opening = openCollab(passages, key, 'body');
    opening.then(
      (document) => {
        if (isOver) return;
        stop = document.state.subscribe((state) => setOpen({ document, state }));
        setOpen({ document, state: document.state.get() });
      },
      (thrown) => onFailed(thrown instanceof DbError ? thrown : new DbError('INTERNAL', String(thrown))),
    );
    return () => {
      isOver = true;
      stop();
      opening.then((document) => document.close()).catch(() => {});
    };
  }, [passages, key]);
  return open;
}
