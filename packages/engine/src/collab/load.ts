import { assert, type CollectionDefinition, setCollabReader } from '@terndb/core';
import type { CollabDocuments, CollabKind } from './types.ts';

let loading: Promise<void> | undefined;
let loaded: CollabDocuments | undefined;

/** Loads Yjs. To be awaited before a replica of a collection with collab fields is made. Code, not state: once per process. */
export async function loadCollab(): Promise<void> {
  loading ??= import('./yjs-documents.ts').then(
    ({ createCollabDocuments }) => {
      const documents = createCollabDocuments();
      loaded = documents;
      setCollabReader((update) => documents.jsonOf(update));
    },
    (error: unknown) => {
      // Not there now (offline, and not cached): the next one tries again.
      loading = undefined;
      throw error;
    },
  );
  await loading;
}

export function collabDocuments(): CollabDocuments {
  assert(loaded !== undefined, 'collab: loaded before replicas of collections with collab fields are made');
  return loaded;
}

/** By field name; empty for most collections. */
export function collabFieldsOf(definition: CollectionDefinition): ReadonlyMap<string, CollabKind> {
  const fields = new Map<string, CollabKind>();
  for (const { name, type } of definition.fields) if (type === 'collab' || type === 'collabText') fields.set(name, type);
  return fields;
}
