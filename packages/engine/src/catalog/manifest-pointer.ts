import { DbError, type MetaStore } from '@terndb/core';
import { decodeRecord, encodeRecord, textOf } from './meta-record.ts';

/** Which manifest is a channel's newest: written last, so what it names is there. */
export interface ManifestPointer {
  readonly object: string;
  readonly revision: number;
}

export async function readManifestPointer(meta: MetaStore, channel: string): Promise<ManifestPointer | undefined> {
  const entry = await meta.get(keyOf(channel));
  return entry === undefined ? undefined : { object: textOf(entry, decodeRecord(entry), 'object'), revision: entry.revision };
}

/** @throws APPEND_CONFLICT when another writer published first. */
export async function writeManifestPointer(
  meta: MetaStore,
  channel: string,
  expected: ManifestPointer | undefined,
  object: string,
): Promise<ManifestPointer> {
  const revision = await meta.compareAndSet(keyOf(channel), expected?.revision ?? 0, encodeRecord({ object }));
  if (revision !== undefined) return { object, revision };
  throw new DbError('APPEND_CONFLICT', `manifest of ${channel}: ${expected?.object ?? 'none'} expected, got another writer's`, {
    details: { channel, expected: expected?.object ?? null },
  });
}

function keyOf(channel: string): string {
  return `manifest/${channel}`;
}
