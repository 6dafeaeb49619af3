import { DbError, type MetaEntry, type MetaStore } from '@terndb/core';
import { decodeRecord, encodeRecord, textOf } from './meta-record.ts';

/** Which manifest is a channel's newest: written last, so what it names is there. */
export interface ManifestPointer {
  readonly object: string;
  readonly revision: number;
}

const PREFIX = 'manifest/';

export async function readManifestPointer(meta: MetaStore, channel: string): Promise<ManifestPointer | undefined> {
  const entry = await meta.get(`${PREFIX}${channel}`);
  return entry === undefined ? undefined : pointerOf(entry);
}

/** Of all channels that have one, by channel. */
export async function readManifestPointers(meta: MetaStore): Promise<Map<string, ManifestPointer>> {
  return new Map((await meta.list(PREFIX)).map((entry) => [entry.key.slice(PREFIX.length), pointerOf(entry)]));
}

/**
 * Moves the pointer. A failure is looked up: our object there is a success whose answer was lost.
 * @throws APPEND_CONFLICT when another writer published first.
 */
export async function writeManifestPointer(
  meta: MetaStore,
  channel: string,
  expected: ManifestPointer | undefined,
  object: string,
): Promise<ManifestPointer> {
  try {
    const revision = await meta.compareAndSet(`${PREFIX}${channel}`, expected?.revision ?? 0, encodeRecord({ object }));
    if (revision !== undefined) return { object, revision };
  } catch (error) {
    const found = await readManifestPointer(meta, channel).catch(() => undefined);
    if (found?.object === object && found.revision !== expected?.revision) return found;
    throw error;
  }
  throw new DbError('APPEND_CONFLICT', `manifest of ${channel}: ${expected?.object ?? 'none'} expected, got another writer's`, {
    details: { channel, expected: expected?.object ?? null },
  });
}

function pointerOf(entry: MetaEntry): ManifestPointer {
  return { object: textOf(entry, decodeRecord(entry), 'object'), revision: entry.revision };
}
