import { useEffect, useRef, useState } from 'react';
import { type Facets, NO_FACETS, readFacets } from './facets.ts';
import { usePassages } from './library-context.tsx';

/** Counts are context, not the answer: during an import they may be this old. */
const REFRESH_MS = 700;

/** Facets of the library, read again soon after one of the `triggers` changed: always as many of them. Null until the first time. */
export function useFacets(triggers: readonly unknown[]): Facets | null {
  const passages = usePassages();
  const [facets, setFacets] = useState<Facets | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const first = useRef(true);
  const isReading = useRef(false);
  const isStale = useRef(false);

  useEffect(() => {
    const read = async (): Promise<void> => {
      timer.current = null;
      first.current = false;
      isReading.current = true;
      isStale.current = false;
      try {
        setFacets(await readFacets(passages));
      } catch {
        setFacets((old) => old ?? NO_FACETS);
      }
      isReading.current = false;
      if (isStale.current) plan();
    };
    const plan = (): void => {
      timer.current = setTimeout(() => void read(), first.current ? 0 : REFRESH_MS);
    };
    // One reading at a time: it is many small reads, and a busy engine would be given them again and again.
    isStale.current = true;
    // A reading is planned already, and will see this change too; one under way may not, and is followed by another.
    if (timer.current === null && !isReading.current) plan();
  }, [passages, ...triggers]);

  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = null;
    },
    [],
  );
  return facets;
}
