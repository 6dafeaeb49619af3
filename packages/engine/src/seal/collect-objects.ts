import type { ObjectStore } from '@terndb/core';
import type { Channel } from '../database/channel.ts';
import { objectsOf } from './seal-channel.ts';

/**
 * Deletes objects of these channels that their manifests do not name: what a crash left between writing an object and publishing it, or
 * between publishing and deleting the replaced. To be called before anything is written; there is one writer. A damaged channel keeps all.
 * @returns names deleted.
 */
export async function collectObjects(objects: ObjectStore, channels: ReadonlyMap<string, Channel>): Promise<readonly string[]> {
  const named = new Map<string, ReadonlySet<string>>();
  const collected: string[] = [];
  for (const { name } of await objects.list('')) {
    const channel = channels.get(name.slice(0, Math.max(0, name.lastIndexOf('/'))));
    if (channel === undefined || channel.damage !== undefined) continue;
    let keep = named.get(channel.name);
    if (keep === undefined) {
      keep = objectsOf(channel);
      named.set(channel.name, keep);
    }
    if (keep.has(name)) continue;
    await objects.delete(name);
    collected.push(name);
  }
  return collected;
}
