import type { SyncStatus } from '@terndb/client';
import { useStore } from '@terndb/react';
import { createContext, type ReactNode, use } from 'react';
import { useLibrary } from '../library/library-context.tsx';
import { describeSync, type SyncDescription } from './describe-sync.ts';
import { type LibrarySync, librarySync, type Sharing } from './library-sync.ts';

const SyncContext = createContext<LibrarySync | null>(null);

/** Begins to share the library, if there is somebody to share it with. Shows nothing and waits for nothing. */
export function SyncProvider({ children }: { children: ReactNode }) {
  return <SyncContext value={librarySync(useLibrary())}>{children}</SyncContext>;
}

export interface SyncView {
  readonly status: SyncStatus;
  readonly sharing: Sharing;
  readonly description: SyncDescription;
  readonly sync: LibrarySync;
}

/** Everything there is to show about sharing. */
export function useSync(): SyncView {
  const sync = use(SyncContext);
  if (sync === null) throw new Error('useSync outside SyncProvider');
  const status = useStore(useLibrary().sync);
  const sharing = useStore(sync.store);
  return { status, sharing, sync, description: describeSync(status.state, sharing) };
}
