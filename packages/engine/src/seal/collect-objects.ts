import type { ObjectStore } from '@terndb/core';
import { writeManifestPointer } from '../catalog/manifest-pointer.ts';
import type { Channel } from '../database/channel.ts';
import type { EnginePorts } from '../database/types.ts';
import { objectsOf } from './seal-channel.ts';

/**
 * Deletes objects of these channels that their manifests do not name: what a crash left between writing an object and publishing it, or
 * between publishing and deleting the replaced. A channel's pointer is written anew first: a frozen writer of before, halfway through a seal,
 * then fails to publish what is deleted here. Channels that are damaged, or were never published, keep all.
 * @returns names deleted.
 */
export async function collectObjects(
  ports: Pick<EnginePorts, 'objects' | 'meta'>,
  channels: ReadonlyMap<string, Channel>,
): Promise<readonly string[]> {
  const stored = await namesByChannel(ports.objects);
  const collected: string[] = [];
  for (const channel of channels.values()) {
    const { published, damage } = channel;
    const named = objectsOf(channel);
    const names = (stored.get(channel.name) ?? []).filter((name) => !named.has(name));
    if (names.length === 0 || published === undefined || damage !== undefined) continue;
    const pointer = await writeManifestPointer(ports.meta, channel.name, published.pointer, published.pointer.object);
    channel.published = { ...published, pointer };
    for (const name of names) await ports.objects.delete(name);
    collected.push(...names);
  }
  return collected;
}

async function namesByChannel(objects: ObjectStore): Promise<ReadonlyMap<string, string[]>> {
  const names = new Map<string, string[]>();
  for (const { name } of await objects.list('')) {
    const channel = name.slice(0, Math.max(0, name.lastIndexOf('/')));
    const known = names.get(channel);
    if (known === undefined) names.set(channel, [name]);
    else known.push(name);
  }
  return names;
}
