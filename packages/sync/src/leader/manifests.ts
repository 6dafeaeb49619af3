import { assert, type Hash64 } from '@terndb/core';
import type { KnownClient, ManifestOffer } from '../protocol.ts';
import type { ChannelFold } from './types.ts';

/** Where the frames of a subscription begin. */
export interface Start {
  readonly from: number;
  readonly manifest?: ManifestOffer;
}

/** The newest manifest of each channel, and from where on its log is still there. */
export class Manifests {
  readonly #byChannel = new Map<string, { readonly offer: ManifestOffer | undefined; readonly firstPosition: number }>();

  set(channel: string, offer: ManifestOffer | undefined, firstPosition: number): void {
    this.#byChannel.set(channel, { offer, firstPosition });
  }

  /** What a client that has everything up to `at` starts with: the log after it, or a manifest when that is not there or not its own. */
  startOf(channel: string, fold: ChannelFold, { at, hash }: { readonly at: number | undefined; readonly hash: Hash64 | undefined }): Start {
    const { offer, firstPosition } = this.#byChannel.get(channel) ?? { offer: undefined, firstPosition: 1 };
    // R13: both know the hash of the same position.
    const hasDiverged = hash !== undefined && at === fold.position && (hash.lo !== fold.hash.lo || hash.hi !== fold.hash.hi);
    if (at !== undefined && at <= fold.position && at + 1 >= firstPosition && !hasDiverged) return { from: at };
    assert(offer !== undefined || firstPosition === 1, () => `leader: ${channel} is truncated to ${firstPosition} without a manifest`);
    return offer === undefined ? { from: 0 } : { from: offer.upTo, manifest: offer };
  }
}

export function knownOf(fold: ChannelFold, clientId: string): KnownClient {
  const lmid = fold.lmid(clientId);
  if (lmid === undefined) return { clientId, lmid: 0, position: 0, rejected: [] };
  return { clientId, lmid: lmid.seq, position: lmid.position, rejected: lmid.rejected };
}
