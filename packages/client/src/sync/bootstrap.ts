import { crc32c, DbError, hash64, hashToHex, type ObjectStore } from '@terndb/core';
import { type Manifest, readManifest } from '@terndb/engine/parts';
import { type Downloadable, decodeBootstrapReference } from '@terndb/sync';
import type { Endpoint, Network } from './network.ts';

/** Objects under way at once: hides latency without holding many segments in memory. */
const PARALLEL_DOWNLOADS = 4;
/** Asked for by range, so that a cut connection costs one part. */
export const PART_BYTES: number = 4 * 1024 * 1024;
/** Each part is asked for so often before the bootstrap fails; the machine then asks for a new offer. */
const PART_ATTEMPTS = 3;

export interface Download {
  readonly channel: string;
  readonly reference: Uint8Array;
  readonly signal: AbortSignal;
  /** Bytes that are here, of all. */
  onProgress?(doneBytes: number, totalBytes: number): void;
}
export interface Downloaded {
  readonly manifest: Manifest;
  readonly manifestObject: string;
}

/**
 * Brings what a manifest offer names into the object store. Objects that are there already are not asked for again, and parts that arrived
 * before a cut are kept for the next try in this session: names stand for contents.
 */
export class BootstrapDownloader {
  readonly #objects: ObjectStore;
  readonly #network: Network;
  readonly #endpoint: Endpoint;
  /** Parts of objects that are not complete, by object name. */
  readonly #parts = new Map<string, Map<number, Uint8Array>>();

  constructor(ports: { readonly objects: ObjectStore; readonly network: Network; readonly endpoint: Endpoint }) {
    this.#objects = ports.objects;
    this.#network = ports.network;
    this.#endpoint = ports.endpoint;
  }

  /** FORMAT_INVALID, CHECKSUM_MISMATCH, OFFLINE, ABORTED, STORAGE_FULL. */
  async download({ channel, reference, signal, onProgress = () => {} }: Download): Promise<Downloaded> {
    const { manifest: offered, objects } = decodeBootstrapReference(reference);
    const total = objects.reduce((sum, { bytes }) => sum + bytes, offered.bytes);
    let done = 0;
    const advance = (bytes: number): void => {
      done += bytes;
      onProgress(done, total);
    };
    const file = join(await this.#partsOf(offered, signal), offered.bytes);
    // The next offer's may be another under the same name.
    this.#parts.delete(offered.name);
    const manifest = readManifest(file, offered.name);
    if (manifest.channel !== channel) {
      throw new DbError('FORMAT_INVALID', `manifest ${offered.name}: of channel ${channel} expected, got of ${manifest.channel}`, {
        details: { name: offered.name, expected: channel, got: manifest.channel },
      });
    }
    advance(offered.bytes);
    const queue = [...objects];
    const next = async (): Promise<void> => {
      for (let object = queue.shift(); object !== undefined; object = queue.shift()) {
        await this.#bring(object, checksumOf(manifest, object.name), signal);
        advance(object.bytes);
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL_DOWNLOADS, objects.length) }, next));
    // Each client sees its own: the server's name would stand for several contents.
    const manifestObject = `${channel}/followed-${manifest.version}-${file.length}-${hashToHex(hash64(file))}`;
    await this.#objects.put(manifestObject, [file]);
    return { manifest, manifestObject };
  }

  async #bring(object: Downloadable, checksum: number | undefined, signal: AbortSignal): Promise<void> {
    if ((await this.#objects.head(object.name))?.bytes === object.bytes) return;
    const parts = await this.#partsOf(object, signal);
    this.#parts.delete(object.name);
    const sum = checksum === undefined ? undefined : parts.reduce((before, part) => crc32c(part, before), 0);
    if (sum !== checksum) {
      throw new DbError('CHECKSUM_MISMATCH', `object ${object.name}: checksum ${checksum} expected, got ${sum}`, {
        details: { name: object.name, expected: checksum ?? null, got: sum ?? null },
      });
    }
    await this.#objects.put(object.name, parts);
  }

  async #partsOf(object: Downloadable, signal: AbortSignal): Promise<Uint8Array[]> {
    const parts = this.#parts.get(object.name) ?? new Map<number, Uint8Array>();
    this.#parts.set(object.name, parts);
    const count = Math.ceil(object.bytes / PART_BYTES);
    for (let index = 0; index < count; index++) {
      if (parts.has(index)) continue;
      const from = index * PART_BYTES;
      parts.set(index, await this.#part(object, { from, bytes: Math.min(PART_BYTES, object.bytes - from) }, signal));
    }
    return [...parts].sort(([a], [b]) => a - b).map(([, part]) => part);
  }

  async #part(object: Downloadable, range: { readonly from: number; readonly bytes: number }, signal: AbortSignal): Promise<Uint8Array> {
    const url = new URL(object.url, `${this.#endpoint.http}/`).href;
    const headers = { range: `bytes=${range.from}-${range.from + range.bytes - 1}` };
    let failure: unknown;
    for (let attempt = 0; attempt < PART_ATTEMPTS; attempt++) {
      if (signal.aborted) throw new DbError('ABORTED', `download of ${object.name}: not wanted any more`);
      try {
        const answer = await this.#network.request({ url, method: 'GET', headers, signal });
        const bytes = answer.status === 206 || answer.status === 200 ? await answer.bytes() : undefined;
        // A server that does not know ranges sends the whole.
        const whole = answer.status === 200 && bytes?.length === object.bytes;
        const part = whole ? bytes.subarray(range.from, range.from + range.bytes) : bytes;
        if (part?.length === range.bytes) return part;
        failure = `status ${answer.status}, ${bytes?.length ?? 0} bytes`;
        // The address is short-lived: a new offer brings a new one.
        if (answer.status === 401 || answer.status === 403 || answer.status === 404 || answer.status === 410) break;
      } catch (thrown) {
        failure = thrown;
      }
    }
    const message = `download of ${object.name}: ${range.bytes} bytes from ${range.from} expected, got ${String(failure)}`;
    throw new DbError('OFFLINE', message, { details: { name: object.name, from: range.from }, cause: failure });
  }
}

/** Of index files; segments and tombstones carry their own. */
function checksumOf(manifest: Manifest, name: string): number | undefined {
  for (const { indexes } of manifest.segments) {
    const index = indexes.find((one) => one.name === name);
    if (index !== undefined) return index.checksum >>> 0;
  }
  return undefined;
}

function join(parts: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
