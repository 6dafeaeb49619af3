import { ByteReader, ByteWriter } from '@terndb/core';

/**
 * What `ManifestOffer.reference` holds, version 1: where a bootstrap is downloaded from. Addresses are relative to the sync endpoint, or whole
 * (presigned); they are short-lived and asked for anew by subscribing again.
 *   u8 version (1), item manifest, varint count, count * item;  item: text name, varint bytes, text url
 * `manifest` is the channel's manifest as this client may see it: with the LMIDs of its own ids only (R1), so it is not the stored object.
 * History: 1 first version.
 */
const VERSION = 1;

export interface Downloadable {
  /** Object name, as the manifest names it. */
  readonly name: string;
  readonly bytes: number;
  readonly url: string;
}
export interface BootstrapReference {
  readonly manifest: Downloadable;
  /** Segments, their index files, the tombstones: everything the manifest names. */
  readonly objects: readonly Downloadable[];
}

export function encodeBootstrapReference({ manifest, objects }: BootstrapReference): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.u8(VERSION);
  writeItem(writer, manifest);
  writer.varUint(objects.length);
  for (const object of objects) writeItem(writer, object);
  return writer.toBytes();
}

/** FORMAT_INVALID. */
export function decodeBootstrapReference(bytes: Uint8Array): BootstrapReference {
  const reader = new ByteReader(bytes, 'bootstrap reference');
  const version = reader.u8();
  if (version !== VERSION) throw reader.invalid(`version ${VERSION} expected, got ${version}`);
  const manifest = readItem(reader);
  const objects: Downloadable[] = [];
  for (let left = reader.count('objects', 3); left > 0; left--) objects.push(readItem(reader));
  reader.end();
  return { manifest, objects };
}

function writeItem(writer: ByteWriter, { name, bytes, url }: Downloadable): void {
  writer.string(name);
  writer.varUint(bytes);
  writer.string(url);
}

function readItem(reader: ByteReader): Downloadable {
  return { name: reader.string(), bytes: reader.varUint(), url: reader.string() };
}
