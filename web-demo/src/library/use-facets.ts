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

  useEffect(() => {
    // A reading is planned already, and will see this change too.
    if (timer.current !== null) return;
    const read = (): void => {
      timer.current = null;
      first.current = false;
      readFacets(passages).then(setFacets, () => setFacets((old) => old ?? NO_FACETS));
    };
    timer.current = setTimeout(read, first.current ? 0 : REFRESH_MS);
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
