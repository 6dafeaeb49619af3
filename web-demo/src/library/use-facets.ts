import { useEffect, useState } from 'react';
import { type Facets, NO_FACETS, readFacets } from './facets.ts';
import { usePassages } from './library-context.tsx';

/** Counts are context, not the answer: during an import they may be this old. */
const REFRESH_MS = 700;

/** Facets of the library, read again some time after one of the `triggers` changed: always as many of them. Null until the first time. */
export function useFacets(triggers: readonly unknown[]): Facets | null {
  const passages = usePassages();
  const [facets, setFacets] = useState<Facets | null>(null);
  const first = facets === null;
  useEffect(() => {
    let current = true;
    const timer = setTimeout(
      () => {
        readFacets(passages)
          .then((next) => current && setFacets(next))
          .catch(() => current && setFacets((old) => old ?? NO_FACETS));
      },
      first ? 0 : REFRESH_MS,
    );
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [passages, first, ...triggers]);
  return facets;
}
