import { createContext, type ReactNode, use } from 'react';
import { type Library, openLibrary, type Passages } from './open-library.ts';

const LibraryContext = createContext<Library | null>(null);

/** Suspends until the database is open. */
export function LibraryProvider({ children }: { children: ReactNode }) {
  return <LibraryContext value={use(openLibrary())}>{children}</LibraryContext>;
}

export function useLibrary(): Library {
  const library = use(LibraryContext);
  if (library === null) throw new Error('useLibrary outside LibraryProvider');
  return library;
}

export function usePassages(): Passages {
  return useLibrary().passages;
}
