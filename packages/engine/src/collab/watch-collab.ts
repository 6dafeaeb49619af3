import { DbError, normalizeKey, type PrimaryKey } from '@terndb/core';
import type { CatalogCollection } from '../catalog/catalog.ts';
import type { Change } from '../database/types.ts';
import type { ReplicaReader } from '../replica/replica-reader.ts';
import { collabDocuments } from './load.ts';
import { collabKindOf } from './resolve-collab.ts';
import { type CollabBase, type CollabState, collabBytes, updatesSince } from './types.ts';

export interface CollabPlace {
  readonly collection: string;
  readonly partition: string;
  readonly key: unknown;
  readonly field: string;
}

export type CollabEvent =
  /** The whole document: at the start, and whenever it is not what was told so far and more: another put, another replica. */
  | { readonly type: 'document'; readonly base: CollabBase; readonly update: Uint8Array; readonly bytes: number }
  /** What merged into it, oldest first; this device's own updates come back, too. */
  | { readonly type: 'updates'; readonly base: CollabBase; readonly updates: readonly Uint8Array[]; readonly bytes: number }
  /** There is no such entity. */
  | { readonly type: 'gone' };

export interface CollabWatchPorts {
  readonly collection: CatalogCollection;
  /** As it is shown now; undefined when there is no such partition yet. */
  readonly replica: () => ReplicaReader | undefined;
  readonly home: () => CollabBase['home'];
  readonly onChange: (listener: (changes: readonly Change[]) => void) => () => void;
}

/** States a watcher remembers having told: after the outbox is folded anew, one of these is below what is shown. */
const MAX_KNOWN = 128;

/** Follows one document. Tells with the change that shows it, not in frames: what somebody types has to be fast. */
export function watchCollab(
  ports: CollabWatchPorts,
  place: CollabPlace,
  onEvent: (event: CollabEvent) => void,
  onError: (error: DbError) => void,
): () => void {
  const { name, definition } = ports.collection;
  const { partition, field } = place;
  const kind = collabKindOf(definition, name, field);
  const key: PrimaryKey = normalizeKey(definition, name, place.key);
  const known = new Set<number>();
  let base: CollabBase | undefined;
  let isGone = false;
  let stopped = false;

  const remember = (serials: readonly number[]): void => {
    for (const serial of serials) {
      known.delete(serial);
      known.add(serial);
    }
    for (const serial of known) {
      if (known.size <= MAX_KNOWN) break;
      known.delete(serial);
    }
  };

  const look = (): void => {
    const found = ports.replica()?.entities.find(key);
    if (found === undefined) {
      base = undefined;
      if (!isGone) onEvent({ type: 'gone' });
      isGone = true;
      return;
    }
    isGone = false;
    const { source } = found.block;
    const { clientId } = source.stampsAt(found.offset).put;
    const shown: CollabBase = { clientId, seq: source.putSeqAt(found.offset), home: ports.home() };
    const isSameBase = base?.clientId === shown.clientId && base.seq === shown.seq && base.home === shown.home;
    const held = source.collabAt(field, found.offset);
    // Not edited yet: what the put said is known, if it was told.
    if (held === null && isSameBase) return;
    const state: CollabState = held ?? collabDocuments().begin(kind, source.valueAt(field, found.offset));
    const links = isSameBase ? updatesSince(state, known) : undefined;
    base = shown;
    const bytes = collabBytes(state);
    if (links === undefined) {
      known.clear();
      remember([...serialsOf(state), state.serial]);
      onEvent({ type: 'document', base, update: collabDocuments().bytesOf(state), bytes });
    } else if (links.length > 0) {
      remember(links.map(({ serial }) => serial));
      onEvent({ type: 'updates', base, updates: links.map(({ update }) => update), bytes });
    }
  };

  const lookSafely = (): void => {
    try {
      if (!stopped) look();
    } catch (error) {
      onError(DbError.from(error));
    }
  };
  const isConcerned = (change: Change): boolean =>
    change.collection === name && change.partition === partition && (change.all === true || change.keys.includes(key));
  const unsubscribe = ports.onChange((changes) => {
    if (changes.some(isConcerned)) lookSafely();
  });
  lookSafely();
  return () => {
    stopped = true;
    unsubscribe();
  };
}

/** Of what the document was made from, oldest first. */
function serialsOf(state: CollabState): readonly number[] {
  const serials: number[] = [];
  for (let link = state.tail; link !== null; link = link.before) serials.push(link.serial);
  return serials.reverse();
}
