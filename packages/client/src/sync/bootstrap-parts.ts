import { crc32c, DbError } from '@terndb/core';
import type { Downloadable } from '@terndb/sync';
import { ownBytes } from '../storage/idb-layout.ts';
import type { ObjectsInParts } from '../storage/object-parts.ts';
import type { Endpoint, Network } from './network.ts';

/** Asked for by range, so that a cut connection costs one part; stored as one value. */
export const PART_BYTES: number = 4 * 1024 * 1024;
/** Each part is asked for so often before the bootstrap fails; the machine then asks for a new offer. */
const PART_ATTEMPTS = 3;

export interface PartPorts {
  readonly objects: ObjectsInParts;
  readonly network: Network;
  readonly endpoint: Endpoint;
}

export interface WantedObject extends Downloadable {
  /** Of the whole file; undefined: it carries its own, which are checked when it is opened. */
  readonly checksum: number | undefined;
}

/**
 * One object on its way into the store. Parts may be fetched in any order and at once; those that an earlier try stored are not asked for again.
 * Memory: the parts under way, and with a checksum those that are here before their turn.
 */
export class ArrivingObject {
  readonly wanted: WantedObject;
  readonly #ports: PartPorts;
  readonly #signal: AbortSignal;
  readonly #early = new Map<number, Uint8Array>();
  #stored: ReadonlySet<number> = new Set();
  #sum = 0;
  /** Parts below it are summed. */
  #summed = 0;

  constructor(wanted: WantedObject, ports: PartPorts, signal: AbortSignal) {
    this.wanted = wanted;
    this.#ports = ports;
    this.#signal = signal;
  }

  /** @returns indexes of the parts to fetch, in order; undefined: the object is here. */
  async begin(): Promise<readonly number[] | undefined> {
    const { objects } = this.#ports;
    const { name, bytes } = this.wanted;
    if ((await objects.head(name))?.bytes === bytes) return undefined;
    this.#stored = await objects.beginParts(name, { bytes, partBytes: PART_BYTES });
    return Array.from({ length: Math.ceil(bytes / PART_BYTES) }, (_, index) => index).filter((index) => !this.#stored.has(index));
  }

  bytesOf(index: number): number {
    return Math.min(PART_BYTES, this.wanted.bytes - index * PART_BYTES);
  }

  /** OFFLINE, ABORTED, STORAGE_FULL, STORAGE_UNAVAILABLE. */
  async fetch(index: number): Promise<void> {
    const { objects } = this.#ports;
    const { name, checksum } = this.wanted;
    const range = { from: index * PART_BYTES, bytes: this.bytesOf(index) };
    const part = ownBytes(await fetchRange(this.wanted, range, this.#ports, this.#signal));
    if (checksum !== undefined) this.#addToSum(index, part);
    await objects.writePart(name, index, part);
  }

  /** All parts are stored. CHECKSUM_MISMATCH, and then nothing of it is kept. */
  async end(): Promise<void> {
    const { objects } = this.#ports;
    const { name, bytes, checksum } = this.wanted;
    if (checksum !== undefined) {
      await this.#sumStored();
      if (this.#sum !== checksum) {
        await objects.delete(name);
        throw new DbError('CHECKSUM_MISMATCH', `object ${name}: checksum ${checksum} expected, got ${this.#sum}`, {
          details: { name, expected: checksum, got: this.#sum },
        });
      }
    }
    await objects.endParts(name, { bytes, partBytes: PART_BYTES });
  }

  #addToSum(index: number, part: Uint8Array): void {
    this.#early.set(index, part);
    for (let next = this.#early.get(this.#summed); next !== undefined; next = this.#early.get(this.#summed)) {
      this.#sum = crc32c(next, this.#sum);
      this.#early.delete(this.#summed);
      this.#summed += 1;
    }
  }

  /** What an earlier try stored is not in the sum yet. */
  async #sumStored(): Promise<void> {
    const count = Math.ceil(this.wanted.bytes / PART_BYTES);
    while (this.#summed < count) {
      const part = await this.#ports.objects.readPart(this.wanted.name, this.#summed);
      this.#addToSum(this.#summed, part ?? new Uint8Array(0));
    }
  }
}

/** OFFLINE when the server has no such bytes, or not in several tries; ABORTED. */
export async function fetchRange(
  object: Downloadable,
  range: { readonly from: number; readonly bytes: number },
  { network, endpoint }: Omit<PartPorts, 'objects'>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const url = new URL(object.url, `${endpoint.http}/`).href;
  const headers = { range: `bytes=${range.from}-${range.from + range.bytes - 1}` };
  let failure: unknown;
  for (let attempt = 0; attempt < PART_ATTEMPTS; attempt++) {
    if (signal.aborted) throw new DbError('ABORTED', `download of ${object.name}: not wanted any more`);
    try {
      const answer = await network.request({ url, method: 'GET', headers, signal, uncached: true });
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
