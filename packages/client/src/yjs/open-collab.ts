import type { PrimaryKey } from '@terndb/core';
import type { Collection } from '../api/collection.ts';
import type { CollectionProxy } from '../database/collection.ts';
import { DbError } from '../index.ts';
import type { CollabReport, PresenceReport } from '../worker/protocol.ts';
import { CollabDocument, type CollabPort } from './collab-document.ts';

export interface OpenCollabOptions {
  /**
   * Shows what others type while it is on its way to the log, which is many times sooner; taken back in the rare case that it does not get there.
   * Default true.
   */
  readonly hints?: boolean;
  /** Where the entity is; default `_default`. */
  readonly partition?: string;
}

/**
 * Opens the document of a `collabText` or `collab` field: what is typed into it is durable on this device, pushed, and merged with what others type,
 * offline too. The entity may come later: the document is `absent` until then. To be closed by the caller.
 * @returns when the document is there, or known to be absent.
 * @throws FIELD_INVALID when the field is no collab field, DATABASE_CLOSED.
 */
export async function openCollab(
  collection: Pick<Collection<any>, 'name' | 'definition'>,
  key: PrimaryKey,
  field: string,
  { partition = '_default', hints = true }: OpenCollabOptions = {},
): Promise<CollabDocument> {
  const type = collection.definition.fields.find(({ name }) => name === field)?.type;
  if (type !== 'collab' && type !== 'collabText') {
    const details = { collection: collection.name, field, got: type ?? 'no such field' };
    throw new DbError('FIELD_INVALID', `${collection.name}.${field}: a collab field expected, got ${details.got}`, { details });
  }
  const document = new CollabDocument(pagePort(collection as CollectionProxy, { key, field, partition }, hints), {
    isText: type === 'collabText',
  });
  await document.whenKnown();
  return document;
}

/** Of a collection of this page: what goes to its worker and comes from it. */
function pagePort(
  { name, _options: { session, check } }: CollectionProxy,
  place: { readonly key: PrimaryKey; readonly field: string; readonly partition: string },
  hints: boolean,
): CollabPort {
  const { connection } = session;
  const { key, field, partition } = place;
  const presencePlace = { collection: name, partition, topic: JSON.stringify([String(key), field]) };
  return {
    write: async (base, update) => {
      const closed = check();
      if (closed !== undefined) throw closed;
      await connection.call('write', { type: 'collab', collection: name, ...place, base, update });
    },
    hint: (base, update) => {
      // Nothing depends on it.
      if (check() === undefined) connection.call('hint', { place: { collection: name, ...place }, base, update }).catch(() => {});
    },
    watch: (onEvent, onError) =>
      connection.watch(
        { kind: 'collab', place: { collection: name, ...place }, hints },
        {
          onResult: async (result) => {
            for (const event of (result as CollabReport).events) onEvent(event);
          },
          onError,
        },
      ),
    presence: {
      say: (peer, state) => {
        // Nothing depends on it: a page that is closing may be too late.
        if (check() === undefined) connection.call('presence', { ...presencePlace, peer, state }).catch(() => {});
      },
      watch: (onNews) =>
        connection.watch(
          { kind: 'presence', place: presencePlace },
          {
            onResult: async (result) => {
              for (const news of (result as PresenceReport).news) onNews(news);
            },
            onError: () => {},
          },
        ),
    },
    // Timers are the page's: what is tried again is tried while somebody has the page open.
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
}
