export { type Live, type LiveOptions, useQuery, useSearch } from './use-live.ts';
export { useStore, useSyncStatus } from './use-store.ts';
