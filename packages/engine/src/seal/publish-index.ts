import type { Channel } from '../database/channel.ts';
import type { EnginePorts } from '../database/types.ts';
import type { ManifestIndex, ManifestSegment } from '../manifest/types.ts';
import type { Segment } from '../segment/types.ts';
import { forget, publishManifest } from './seal-channel.ts';

/**
 * Names a new index file in the channel's manifest: the next version, which says the same of the rows. Another file for the same segment, field
 * and kind that is named already stays, unless the segment dropped it: the first one published wins.
 * @returns what the manifest names now; undefined when it no longer has the segment.
 * @throws APPEND_CONFLICT when another writer published first; STORAGE_FULL, STORAGE_UNAVAILABLE.
 */
export async function publishIndex(
  ports: Pick<EnginePorts, 'objects' | 'meta'>,
  channel: Channel,
  segment: Segment,
  index: ManifestIndex,
): Promise<ManifestIndex | undefined> {
  const manifest = channel.published?.manifest;
  const listed = manifest?.segments.find(({ id }) => id === segment.id);
  if (manifest === undefined || listed === undefined) return undefined;
  const known = listed.indexes.find(({ field, type }) => field === index.field && type === index.type);
  if (known?.name === index.name || (known !== undefined && !segment.indexes.isDropped(known.name))) return known;
  const segments = manifest.segments.map((one) => (one === listed ? withIndex(one, index) : one));
  await publishManifest(ports, channel, { ...manifest, version: manifest.version + 1, segments });
  if (known !== undefined) forget(ports.objects, channel, [known.name]);
  return index;
}

function withIndex(segment: ManifestSegment, index: ManifestIndex): ManifestSegment {
  const others = segment.indexes.filter(({ field, type }) => field !== index.field || type !== index.type);
  return { ...segment, indexes: [...others, index] };
}
