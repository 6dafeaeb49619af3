import type { Inspection } from '@terndb/client';
import { useEffect, useState } from 'react';
import { useLibrary } from '../library/library-context.tsx';

/** Segments come and go by themselves; nobody watches them closer than this. */
const EVERY_MS = 2_000;

/** What the database says about its inside, again and again while it is looked at, and when `trigger` changes. */
export function useInspection(trigger?: unknown): Inspection | null {
  const library = useLibrary();
  const [inspection, setInspection] = useState<Inspection | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the trigger is not read, it is the point.
  useEffect(() => {
    let current = true;
    const look = (): void => {
      library.inspect().then(
        (next) => current && setInspection(next),
        () => undefined,
      );
    };
    look();
    const timer = setInterval(look, EVERY_MS);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [library, trigger]);
  return inspection;
}
