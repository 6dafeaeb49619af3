import type { ObjectsInParts } from '../storage/object-parts.ts';
import type { SyncStore } from './store/sync-store.ts';

/** Removes what a device keeps of a channel that the server has as well. The outbox stays. */
export async function removeReplica(
  { store, objects, term }: { readonly store: SyncStore; readonly objects: ObjectsInParts; readonly term: number },
  channel: string,
): Promise<void> {
  await store.forgetReplica(term, channel);
  const unfinished = await objects.listUnfinished(`${channel}/`);
  const names = (await objects.list(`${channel}/`)).map(({ name }) => name);
  for (const name of [...names, ...unfinished]) await objects.delete(name);
}
