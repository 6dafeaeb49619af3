import { DbError } from '@terndb/client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { usePassages } from '../library/library-context.tsx';
import type { Passage } from '../library/schema.ts';

type Editable = Pick<Passage, 'title' | 'topic' | 'stars'>;
/** `visible`: in every search of this device, not yet promised to survive a crash; `durable`: written. */
export type SaveState = 'clean' | 'editing' | 'visible' | 'durable' | 'failed';

export interface Draft {
  /** The passage with what is not yet saved. */
  readonly values: Editable;
  readonly state: SaveState;
  readonly error: DbError | null;
  readonly edit: (change: Partial<Editable>) => void;
}

/** Typing pauses this long before it is written: a write for each letter would only make more to merge. */
const SAVE_AFTER_MS = 400;

/** Edits of one passage but for its text, which is everybody's (editor/), saved by themselves: a patch of the changed fields, so that another tab's edits of other fields stay. */
export function useDraft(passage: Passage): Draft {
  const passages = usePassages();
  const [dirty, setDirty] = useState<Partial<Editable>>({});
  const [state, setState] = useState<SaveState>('clean');
  const [error, setError] = useState<DbError | null>(null);
  const pending = useRef<Partial<Editable>>({});
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);

  const save = useCallback(async (): Promise<void> => {
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = null;
    const changes = pending.current;
    if (Object.keys(changes).length === 0) return;
    pending.current = {};
    setState('visible');
    try {
      await passages.patch(passage.id, changes);
      // A later edit has its own state by now.
      setState((now) => (now === 'visible' ? 'durable' : now));
    } catch (thrown) {
      setState('failed');
      setError(thrown instanceof DbError ? thrown : new DbError('INTERNAL', String(thrown)));
    }
  }, [passages, passage.id]);

  // Closing the drawer must not lose the last words.
  useEffect(() => {
    const now = (): void => void save();
    window.addEventListener('pagehide', now);
    return () => {
      window.removeEventListener('pagehide', now);
      now();
    };
  }, [save]);

  // A field stops being dirty when the database shows what was typed.
  useEffect(() => {
    setDirty((old) => {
      const rest = Object.entries(old).filter(([name, value]) => passage[name as keyof Editable] !== value);
      return rest.length === Object.keys(old).length ? old : Object.fromEntries(rest);
    });
  }, [passage]);

  const edit = (change: Partial<Editable>): void => {
    setDirty((old) => ({ ...old, ...change }));
    pending.current = { ...pending.current, ...change };
    setState('editing');
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = setTimeout(() => void save(), SAVE_AFTER_MS);
  };
  return { values: { ...passage, ...dirty }, state, error, edit };
}
