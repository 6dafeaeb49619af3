import type { Store, SyncStatus } from '@terndb/client';
import { useSyncExternalStore } from 'react';

/** The store's value, re-rendered when it changes. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(
    (onChange) => store.subscribe(onChange),
    () => store.get(),
    () => store.get(),
  );
}

export function useSyncStatus(db: { readonly sync: Store<SyncStatus> }): SyncStatus {
  return useStore(db.sync);
}
