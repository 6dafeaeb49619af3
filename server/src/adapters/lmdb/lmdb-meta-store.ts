/**
 * Meta store in one LMDB environment, version 1. Every value begins with its checksum (checked-value.ts); integers are little-endian.
 *   meta  own key   -> u32 version; f64 last revision given
 *         name key  -> f64 revision; the value
 * History: 1 first version. Reads: 1. Another version -> FORMAT_VERSION_UNSUPPORTED.
 */
import { DbError, type MetaEntry, type MetaStore } from '@terndb/core';
import { CHECKSUM_BYTES, checked, seal } from './checked-value.ts';
import { type Bytes, LmdbEnvironment } from './environment.ts';
import { afterPrefix, nameKey, nameOf, OWN_KEY } from './keys.ts';

const VERSION = 1;
const HEADER_BYTES = 12;
const REVISION_BYTES = 8;

/** Keys and values in one LMDB environment; revisions are counted over all keys. In memory: nothing. */
export class LmdbMetaStore implements MetaStore {
  readonly #environment: LmdbEnvironment;
  readonly #meta: Bytes;

  private constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#meta = environment.openDatabase('meta');
  }

  /** @throws STORAGE_UNAVAILABLE, FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED. */
  static async open(folder: string): Promise<LmdbMetaStore> {
    const environment = await LmdbEnvironment.open(folder);
    try {
      const store = new LmdbMetaStore(environment);
      await environment.view(() => store.#lastRevision());
      return store;
    } catch (error) {
      await environment.close();
      throw error;
    }
  }

  get(key: string): Promise<MetaEntry | undefined> {
    return this.#environment.view(() => this.#entry(key));
  }

  list(prefix: string): Promise<readonly MetaEntry[]> {
    return this.#environment.view(() => {
      const start = nameKey(prefix);
      const found: MetaEntry[] = [];
      for (const { key, value } of this.#meta.getRange({ start, end: afterPrefix(start) })) found.push(decode(nameOf(key), value));
      return found;
    });
  }

  compareAndSet(key: string, expectedRevision: number, value: Uint8Array): Promise<number | undefined> {
    const stored = Buffer.allocUnsafeSlow(CHECKSUM_BYTES + REVISION_BYTES + value.length);
    stored.set(value, CHECKSUM_BYTES + REVISION_BYTES);
    return this.#environment.commit(stored.length, () => {
      if ((this.#entry(key)?.revision ?? 0) !== expectedRevision) return undefined;
      const revision = this.#lastRevision() + 1;
      stored.writeDoubleLE(revision, CHECKSUM_BYTES);
      void this.#meta.put(OWN_KEY, encodeHeader(revision));
      void this.#meta.put(nameKey(key), seal(stored));
      return revision;
    });
  }

  delete(key: string, expectedRevision: number): Promise<boolean> {
    return this.#environment.commit(REVISION_BYTES, () => {
      const held = this.#entry(key);
      if (held === undefined || held.revision !== expectedRevision) return false;
      void this.#meta.remove(nameKey(key));
      return true;
    });
  }

  /** Finishes what was asked for. */
  close(): Promise<void> {
    return this.#environment.close();
  }

  #entry(key: string): MetaEntry | undefined {
    const value = this.#meta.get(nameKey(key));
    return value === undefined ? undefined : decode(key, value);
  }

  #lastRevision(): number {
    const value = this.#meta.get(OWN_KEY);
    if (value === undefined) return 0;
    const bytes = checked(value, HEADER_BYTES, () => 'meta header');
    const version = bytes.readUInt32LE(0);
    if (version === VERSION) return bytes.readDoubleLE(4);
    throw new DbError('FORMAT_VERSION_UNSUPPORTED', `meta: version ${VERSION} expected, got ${version}`, {
      details: { expected: VERSION, version },
    });
  }
}

function encodeHeader(revision: number): Buffer {
  const header = Buffer.alloc(CHECKSUM_BYTES + HEADER_BYTES);
  header.writeUInt32LE(VERSION, CHECKSUM_BYTES);
  header.writeDoubleLE(revision, CHECKSUM_BYTES + 4);
  return seal(header);
}

/** Copies: what is read belongs to the reader. */
function decode(key: string, value: Uint8Array): MetaEntry {
  const bytes = checked(value, REVISION_BYTES, () => `meta key ${JSON.stringify(key)}`);
  return { key, value: Uint8Array.from(bytes.subarray(REVISION_BYTES)), revision: bytes.readDoubleLE(0) };
}
