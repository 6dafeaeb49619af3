import { DbError, encodeFrame, type Frame } from '@terndb/core';
import type { Replication } from '@terndb/engine';
import type { Manifest } from '@terndb/engine/parts';
import type { ClientEffect, ClientEvent, KnownClient, ManifestOffer } from '@terndb/sync';
import type { BootstrapDownloader } from './bootstrap.ts';
import { leftOutOf } from './keep-recent.ts';
import type { Adopted } from './store/sync-store.ts';

type Fetch = Extract<ClientEffect, { readonly type: 'fetch' }>;
type FetchEvent = Extract<ClientEvent, { readonly type: 'fetched' | 'fetch-failed' | 'seen' }>;

/** A bootstrap that is held under its fetch. */
interface Staged {
  readonly channel: string;
  readonly abort: AbortController;
  object: string | null;
  leftOut: readonly string[];
  readonly budgetBytes: number | null;
  readonly frames: Uint8Array[];
}

export interface BootstrapPorts {
  readonly replication: Replication;
  readonly downloader: BootstrapDownloader;
  /** How much of a channel's segments is kept here; null: all. */
  readonly budgetOf: (channel: string) => number | null;
  readonly dispatch: (event: FetchEvent) => void;
  readonly onProgress: (channel: string, doneBytes: number, totalBytes: number) => void;
}

/** Replicas that are brought and built aside for the client machine (R6), by the number of their fetch, until they are swapped in or dropped. */
export class Bootstraps {
  readonly #ports: BootstrapPorts;
  readonly #staged = new Map<number, Staged>();

  constructor(ports: BootstrapPorts) {
    this.#ports = ports;
  }

  async fetch({ channel, fetch, offer, clientIds }: Fetch): Promise<void> {
    const { replication, dispatch } = this.#ports;
    const budgetBytes = this.#ports.budgetOf(channel);
    const staged: Staged = { channel, abort: new AbortController(), object: null, leftOut: [], budgetBytes, frames: [] };
    this.#staged.set(fetch, staged);
    try {
      const downloaded = offer === undefined ? undefined : await this.#download(staged, offer);
      staged.object = downloaded?.manifestObject ?? null;
      staged.leftOut = downloaded?.leftOut ?? [];
      const { position, maxHlc } = await replication.stage(channel, fetch, downloaded ?? 'empty');
      if (this.#staged.get(fetch) !== staged) {
        replication.dropStaged(fetch);
        return;
      }
      const lmids = new Map(downloaded?.manifest.lmids.map((entry) => [entry.clientId, entry]));
      const known = clientIds.map((clientId): KnownClient => {
        const { lmid = 0, position: at = 0, rejected = [] } = lmids.get(clientId) ?? {};
        return { clientId, lmid, position: at, rejected };
      });
      dispatch({ type: 'fetched', channel, fetch, snapshot: { position, maxHlc, known } });
    } catch (thrown) {
      if (this.#staged.get(fetch) !== staged) return;
      this.drop(fetch);
      if (!(thrown instanceof DbError)) throw thrown;
      await this.#dropDamaged(thrown);
      dispatch({ type: 'fetch-failed', channel, fetch });
    }
  }

  /** A frame over a replica that is aside. */
  stage(fetch: number, frame: Frame): void {
    this.#staged.get(fetch)?.frames.push(encodeFrame(frame));
    this.#ports.replication.stageFrame(fetch, frame);
  }

  /** What a swap makes the stored replica. */
  adopted(fetch: number): Adopted {
    const { object, frames, leftOut, budgetBytes } = this.#staged.get(fetch)!;
    return { object, frames, leftOut, budgetBytes };
  }

  /** It is the shown one now. */
  swapped(fetch: number): void {
    this.#staged.delete(fetch);
  }

  /** Something of this channel is on its way. */
  isBringing(channel: string): boolean {
    return [...this.#staged.values()].some((staged) => staged.channel === channel);
  }

  drop(fetch: number): void {
    this.#staged.get(fetch)?.abort.abort();
    this.#staged.delete(fetch);
    this.#ports.replication.dropStaged(fetch);
  }

  dropAll(): void {
    for (const fetch of [...this.#staged.keys()]) this.drop(fetch);
  }

  #download({ channel, abort: { signal }, budgetBytes }: Staged, offer: ManifestOffer): ReturnType<BootstrapDownloader['download']> {
    const { downloader, onProgress } = this.#ports;
    const onBytes = (doneBytes: number, totalBytes: number): void => onProgress(channel, doneBytes, totalBytes);
    const onSegments = this.#shower(channel, signal);
    const leaveOut = (manifest: Manifest): readonly string[] => leftOutOf(manifest, budgetBytes);
    return downloader.download({ channel, reference: offer.reference, signal, onProgress: onBytes, onSegments, leaveOut });
  }

  /** Shows what is here while the rest is on its way: one call at a time, and of those that wait the last, which has all. */
  #shower(channel: string, signal: AbortSignal): (manifest: Manifest, ready: readonly string[]) => void {
    let next: (() => Promise<void>) | undefined;
    let isShowing = false;
    const show = async (): Promise<void> => {
      isShowing = true;
      for (let one = next; one !== undefined && !signal.aborted; one = next) {
        next = undefined;
        // What is wrong with it shows again when the whole is opened.
        await one().catch(onlyDbErrors);
      }
      isShowing = false;
    };
    return (manifest, ready) => {
      next = () => {
        this.#ports.dispatch({ type: 'seen', channel, hlc: manifest.maxHlc });
        return this.#ports.replication.preview(channel, manifest, ready);
      };
      if (!isShowing) void show();
    };
  }

  /** What cannot be read is not kept: the next try brings it again. */
  async #dropDamaged({ code, details }: DbError): Promise<void> {
    if (code !== 'CHECKSUM_MISMATCH' || !Array.isArray(details['objects'])) return;
    await this.#ports.downloader.drop(details['objects'] as readonly string[]).catch(onlyDbErrors);
  }
}

function onlyDbErrors(thrown: unknown): void {
  if (!(thrown instanceof DbError)) throw thrown;
}
