import { utf8Decode } from '@terndb/core';
import { type Manifest, readManifest } from '@terndb/engine/parts';
import { type Downloadable, encodeBootstrapReference, type ServerMessage } from '@terndb/sync';
import type { ServerNode } from '../../node/types.ts';
import type { Tickets } from '../tickets.ts';

type Subscribed = Extract<ServerMessage, { type: 'subscribed' }>;
type Ended = Extract<ServerMessage, { type: 'ended' }>;

export interface BootstrapSource {
  readonly node: Pick<ServerNode, 'clientManifest'>;
  readonly tickets: Tickets;
  /** Presigned URLs of an object store that clients reach themselves. */
  readonly downloadUrl?: (name: string, expiresSeconds: number) => Promise<string>;
}

const URL_SECONDS = 300;

/**
 * The offer of a manifest as a client can use it: where the manifest and everything it names is downloaded from, for the next minutes. When the
 * manifest is not there any more, the subscription ends as truncated, and the client asks again.
 */
export async function withBootstrap({ node, tickets, downloadUrl }: BootstrapSource, message: Subscribed): Promise<Subscribed | Ended> {
  const { channel, subscription, manifest: offer } = message;
  if (offer === undefined) return message;
  const name = utf8Decode(offer.reference);
  // Only ids that the leader answers for.
  const clientIds = [message.known, ...message.formers].map(({ clientId }) => clientId);
  const bytes = await node.clientManifest(channel, name, clientIds);
  if (bytes === undefined) return { type: 'ended', channel, subscription, reason: 'truncated' };
  const ticket = tickets.issue({ kind: 'manifest', channel, name, clientIds });
  const manifest = { name, bytes: bytes.length, url: `v1/manifests/${name}?ticket=${ticket}` };
  const objects = await Promise.all(
    objectsOf(readManifest(bytes, `manifest ${name}`)).map(async (object): Promise<Downloadable> => {
      if (downloadUrl !== undefined) return { ...object, url: await downloadUrl(object.name, URL_SECONDS) };
      return { ...object, url: `v1/objects/${object.name}?ticket=${tickets.issue({ kind: 'object', name: object.name })}` };
    }),
  );
  return { ...message, manifest: { upTo: offer.upTo, reference: encodeBootstrapReference({ manifest, objects }) } };
}

function objectsOf({ segments, tombstones }: Manifest): readonly { readonly name: string; readonly bytes: number }[] {
  const files = segments.flatMap(({ name, bytes, indexes }) => [
    { name, bytes },
    ...indexes.map((index) => ({ name: index.name, bytes: index.bytes })),
  ]);
  if (tombstones.type === 'object') files.push({ name: tombstones.name, bytes: tombstones.bytes });
  return files;
}
