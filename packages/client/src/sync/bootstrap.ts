import { DbError, hash64, hashToHex } from '@terndb/core';
import { type Manifest, readManifest } from '@terndb/engine/parts';
import { type Downloadable, decodeBootstrapReference } from '@terndb/sync';
import { ArrivingObject, fetchRange, type PartPorts, type WantedObject } from './bootstrap-parts.ts';

/** Parts under way at once: hides latency and the database's turn; each holds PART_BYTES. */
const PARALLEL_PARTS = 6;

export interface Download {
  readonly channel: string;
  readonly reference: Uint8Array;
  readonly signal: AbortSignal;
  /** Bytes that are here, of all. */
  onProgress?(doneBytes: number, totalBytes: number): void;
  /** Segments (by id) that are here with their indexes, and so are the tombstones. Not told of the last one. */
  onSegments?(manifest: Manifest, ready: readonly string[]): void;
  /** Segments (by id) that are not wanted. */
  leaveOut?(manifest: Manifest): readonly string[];
}
export interface Downloaded {
  readonly manifest: Manifest;
  readonly manifestObject: string;
  readonly leftOut: readonly string[];
}

/** Objects that are of use together: a segment and its indexes. */
interface Group {
  readonly segment: string | undefined;
  readonly objects: readonly WantedObject[];
  left: number;
}

/** What one of several workers takes next. */
interface Step {
  readonly group: Group;
  readonly object: ArrivingObject;
  readonly index: number;
}

/**
 * Brings what a manifest offer names into the object store: the tombstones, then segment by segment, the smallest first, each with its indexes, so
 * that something can be searched soon. Objects and parts that are here already are not asked for again, whoever brought them: names stand for
 * contents.
 */
export class BootstrapDownloader {
  readonly #ports: PartPorts;

  constructor(ports: PartPorts) {
    this.#ports = ports;
  }

  /** FORMAT_INVALID, CHECKSUM_MISMATCH, OFFLINE, ABORTED, STORAGE_FULL. */
  async download({
    channel,
    reference,
    signal,
    onProgress = () => {},
    onSegments = () => {},
    leaveOut = () => [],
  }: Download): Promise<Downloaded> {
    const { manifest: offered, objects } = decodeBootstrapReference(reference);
    const file = await fetchWhole(offered, this.#ports, signal);
    const manifest = readManifest(file, offered.name);
    if (manifest.channel !== channel) {
      throw new DbError('FORMAT_INVALID', `manifest ${offered.name}: of channel ${channel} expected, got of ${manifest.channel}`, {
        details: { name: offered.name, expected: channel, got: manifest.channel },
      });
    }
    const leftOut = leaveOut(manifest);
    const segments = manifest.segments.filter(({ id }) => !leftOut.includes(id));
    const groups = groupsOf({ ...manifest, segments }, objects);
    const total = groups.flatMap((group) => group.objects).reduce((sum, { bytes }) => sum + bytes, offered.bytes);
    let done = offered.bytes;
    const ready: string[] = [];
    await this.#bringAll(groups, signal, {
      onBytes: (bytes) => {
        done += bytes;
        onProgress(done, total);
      },
      onGroup: ({ segment }) => {
        if (segment !== undefined) ready.push(segment);
        if (ready.length > 0 && ready.length < segments.length) onSegments(manifest, [...ready]);
      },
    });
    // Each client sees its own: the server's name would stand for several contents.
    const manifestObject = `${channel}/followed-${manifest.version}-${file.length}-${hashToHex(hash64(file))}`;
    await this.#ports.objects.put(manifestObject, [file]);
    onProgress(done, total);
    return { manifest, manifestObject, leftOut };
  }

  /** Objects that turned out to be damaged. STORAGE_UNAVAILABLE. */
  async drop(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#ports.objects.delete(name);
  }

  /** Several at a time, in order. The first failure ends it; what arrived stays. */
  async #bringAll(
    groups: readonly Group[],
    signal: AbortSignal,
    { onBytes, onGroup }: { readonly onBytes: (bytes: number) => void; readonly onGroup: (group: Group) => void },
  ): Promise<void> {
    const abort = new AbortController();
    const both = AbortSignal.any([signal, abort.signal]);
    const left = new Map<ArrivingObject, number>();
    const finish = async (group: Group, object: ArrivingObject, isNew: boolean): Promise<void> => {
      if (isNew) await object.end();
      group.left -= 1;
      if (group.left === 0) onGroup(group);
    };
    const steps = this.#steps(groups, both, {
      onBegun: (object, missing) => {
        left.set(object, missing.length);
        onBytes(object.wanted.bytes - missing.reduce((sum, index) => sum + object.bytesOf(index), 0));
      },
      finish,
    });
    const work = async (): Promise<void> => {
      for (let step = await steps(); step !== undefined; step = await steps()) {
        const { group, object, index } = step;
        await object.fetch(index);
        onBytes(object.bytesOf(index));
        const rest = left.get(object)! - 1;
        left.set(object, rest);
        if (rest === 0) await finish(group, object, true);
      }
    };
    const workers = Array.from({ length: PARALLEL_PARTS }, () =>
      work().catch((error: unknown) => {
        abort.abort();
        throw error;
      }),
    );
    try {
      await Promise.all(workers);
    } finally {
      // Nothing is written any more once this settles.
      await Promise.allSettled(workers);
    }
  }

  /** The parts of all groups, one after the other; each object is looked up in the store when its turn comes. */
  #steps(
    groups: readonly Group[],
    signal: AbortSignal,
    on: {
      readonly onBegun: (object: ArrivingObject, missing: readonly number[]) => void;
      readonly finish: (group: Group, object: ArrivingObject, isNew: boolean) => Promise<void>;
    },
  ): () => Promise<Step | undefined> {
    const ports = this.#ports;
    async function* generate(): AsyncGenerator<Step, undefined> {
      for (const group of groups) {
        for (const wanted of group.objects) {
          const object = new ArrivingObject(wanted, ports, signal);
          const missing = await object.begin();
          on.onBegun(object, missing ?? []);
          if (missing === undefined || missing.length === 0) await on.finish(group, object, missing !== undefined);
          for (const index of missing ?? []) yield { group, object, index };
        }
      }
      return undefined;
    }
    const generator = generate();
    // Calls of several workers are answered in their order.
    return async () => (await generator.next()).value;
  }
}

async function fetchWhole(object: Downloadable, ports: PartPorts, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(object.bytes);
  // Manifests are small; a large one still comes in parts that a cut does not cost all of.
  for (let from = 0; from < whole.length; from += MANIFEST_PART_BYTES) {
    const bytes = Math.min(MANIFEST_PART_BYTES, whole.length - from);
    whole.set(await fetchRange(object, { from, bytes }, ports, signal), from);
  }
  return whole;
}

const MANIFEST_PART_BYTES: number = 4 * 1024 * 1024;

/** FORMAT_INVALID when the offer lacks what the manifest names. */
function groupsOf(manifest: Manifest, offered: readonly Downloadable[]): readonly Group[] {
  const byName = new Map(offered.map((object) => [object.name, object]));
  const want = (name: string, checksum?: number): WantedObject => {
    const object = byName.get(name);
    if (object !== undefined) return { ...object, checksum: checksum === undefined ? undefined : checksum >>> 0 };
    throw new DbError('FORMAT_INVALID', `manifest of ${manifest.channel}: an offer of ${name} expected, got none`, {
      details: { channel: manifest.channel, name },
    });
  };
  const group = (segment: string | undefined, objects: readonly WantedObject[]): Group => ({ segment, objects, left: objects.length });
  const segments = [...manifest.segments]
    .sort((a, b) => a.bytes - b.bytes)
    .map(({ id, name, indexes }) => group(id, [want(name), ...indexes.map((index) => want(index.name, index.checksum))]));
  return manifest.tombstones.type === 'object' ? [group(undefined, [want(manifest.tombstones.name)]), ...segments] : segments;
}
