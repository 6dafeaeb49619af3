/**
 * The meta store's record file. Its base is the last revision given when it was written; each record is one write, version 1:
 *   u64 revision; u8 kind (1 set, 2 delete); u32 key bytes; key (UTF-8); value
 */
import { join } from 'node:path';
import { DbError, type MetaEntry, type MetaStore } from '@terndb/core';
import { openFolder } from './durable.ts';
import { RecordFile } from './record-file.ts';
import { storageError } from './storage-error.ts';
import { Turns } from './turns.ts';

const FILE = 'meta.rec';
const HEAD_BYTES = 13;
const SET = 1;
const DELETE = 2;
/** Rewritten at opening when it holds more than this many records beside the living ones. */
const MAX_DEAD_RECORDS = 1_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

interface Write {
  readonly kind: number;
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
}

/** All entries are in memory (the catalog is small); every write is appended and synced before it is visible. */
export class FileMetaStore implements MetaStore {
  readonly #file: RecordFile;
  readonly #entries: Map<string, MetaEntry>;
  readonly #turns = new Turns();
  #revision: number;

  private constructor(file: RecordFile, entries: Map<string, MetaEntry>, revision: number) {
    this.#file = file;
    this.#entries = entries;
    this.#revision = revision;
  }

  static async open(folder: string): Promise<FileMetaStore> {
    try {
      await openFolder(folder);
      const path = join(folder, FILE);
      const held = await readAll(path);
      if (held.records - held.entries.size <= MAX_DEAD_RECORDS) return new FileMetaStore(held.file, held.entries, held.revision);
      await held.file.close();
      const living = [...held.entries.values()].map((entry) => encodeWrite({ ...entry, kind: SET }));
      await RecordFile.rewrite(path, held.revision, living);
      const fresh = await readAll(path);
      return new FileMetaStore(fresh.file, fresh.entries, fresh.revision);
    } catch (error) {
      throw storageError(error, `meta store ${folder}`);
    }
  }

  async get(key: string): Promise<MetaEntry | undefined> {
    const entry = this.#entries.get(key);
    return entry === undefined ? undefined : copyOf(entry);
  }

  async list(prefix: string): Promise<readonly MetaEntry[]> {
    const found = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
    return found.sort((a, b) => (a.key < b.key ? -1 : 1)).map(copyOf);
  }

  compareAndSet(key: string, expectedRevision: number, value: Uint8Array): Promise<number | undefined> {
    const copy = value.slice();
    return this.#turns.take(async () => {
      if ((this.#entries.get(key)?.revision ?? 0) !== expectedRevision) return undefined;
      const revision = await this.#write({ kind: SET, key, value: copy });
      this.#entries.set(key, { key, value: copy, revision });
      return revision;
    });
  }

  delete(key: string, expectedRevision: number): Promise<boolean> {
    return this.#turns.take(async () => {
      const held = this.#entries.get(key);
      if (held === undefined || held.revision !== expectedRevision) return false;
      await this.#write({ kind: DELETE, key, value: new Uint8Array() });
      return this.#entries.delete(key);
    });
  }

  /** Waits for what is under way. */
  close(): Promise<void> {
    return this.#turns.take(() => this.#file.close());
  }

  async #write(write: Omit<Write, 'revision'>): Promise<number> {
    const revision = this.#revision + 1;
    try {
      await this.#file.append(encodeWrite({ ...write, revision }));
    } catch (error) {
      throw storageError(error, `meta key ${write.key}`);
    }
    this.#revision = revision;
    return revision;
  }
}

interface Held {
  readonly file: RecordFile;
  readonly entries: Map<string, MetaEntry>;
  readonly revision: number;
  readonly records: number;
}

async function readAll(path: string): Promise<Held> {
  const { file, base, records } = await RecordFile.open(path);
  const entries = new Map<string, MetaEntry>();
  let last = base;
  for (const { payload } of records) {
    const { kind, key, value, revision } = decodeWrite(payload);
    if (kind === SET) entries.set(key, { key, value, revision });
    else entries.delete(key);
    last = Math.max(last, revision);
  }
  return { file, entries, revision: last, records: records.length };
}

function encodeWrite({ kind, key, value, revision }: Write): Uint8Array {
  const name = encoder.encode(key);
  const bytes = new Uint8Array(HEAD_BYTES + name.length + value.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(revision), true);
  view.setUint8(8, kind);
  view.setUint32(9, name.length, true);
  bytes.set(name, HEAD_BYTES);
  bytes.set(value, HEAD_BYTES + name.length);
  return bytes;
}

function decodeWrite(bytes: Uint8Array): Write {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const keyEnd = bytes.length < HEAD_BYTES ? Number.POSITIVE_INFINITY : HEAD_BYTES + view.getUint32(9, true);
  const kind = keyEnd <= bytes.length ? view.getUint8(8) : 0;
  if (kind !== SET && kind !== DELETE) throw new DbError('FORMAT_INVALID', `meta record: ${bytes.length} bytes of unknown kind`);
  return {
    kind,
    key: decoder.decode(bytes.subarray(HEAD_BYTES, keyEnd)),
    value: bytes.slice(keyEnd),
    revision: Number(view.getBigUint64(0, true)),
  };
}

function copyOf({ key, value, revision }: MetaEntry): MetaEntry {
  return { key, value: value.slice(), revision };
}
