import {
  addHash,
  compareStamps,
  type Frame,
  type Hash64,
  type LogRecord,
  type Op,
  type Origin,
  originOf,
  type PrimaryKey,
  type SingleOp,
  type Stamp,
  stampOf,
  subHash,
  type Timestamp,
  ZERO_HASH,
} from '@terndb/core';
import type { ChannelFold, Lmid } from '@terndb/sync';
import type { Ablations } from '@terndb/sync/testing';

/** A live one keeps no delete stamp, a dead one no fields: as in the engine's fold. */
export interface Doc {
  readonly put: Stamp | undefined;
  readonly delete: Stamp | undefined;
  /** Field → stamp newer than put. */
  readonly fields: ReadonlyMap<string, Stamp>;
  /** Origin of the put in force, which collab updates name. */
  readonly base?: Origin | undefined;
  /** Collab updates since that put, as sorted texts: a set, whatever their order. */
  readonly updates?: readonly string[] | undefined;
}

export interface ModelLmid extends Lmid {
  readonly lastHlc: number;
}

const NO_FIELDS: ReadonlyMap<string, Stamp> = new Map();

/** The fold of one channel, stamps only: small, slow and obvious. Values are not kept: equal stamps name equal ops. */
export class ModelFold implements ChannelFold {
  readonly channel: string;
  position = 0;
  hash: Hash64 = ZERO_HASH;
  floor: Timestamp = 0 as Timestamp;
  maxHlc: Timestamp = 0 as Timestamp;
  /** Rows put before it went as expired, at the latest; 0: none did. */
  expiredBefore: Timestamp = 0 as Timestamp;
  lmids: Map<string, ModelLmid> = new Map();
  docs: Map<PrimaryKey, Doc> = new Map();
  /** Of each of `docs`: what it adds to `hash`. */
  #hashes: Map<PrimaryKey, Hash64> = new Map();
  readonly #ablations: Ablations;

  constructor(channel: string, ablations: Ablations) {
    this.channel = channel;
    this.#ablations = ablations;
  }

  clone(): ModelFold {
    const copy = new ModelFold(this.channel, this.#ablations);
    copy.position = this.position;
    copy.hash = this.hash;
    copy.floor = this.floor;
    copy.maxHlc = this.maxHlc;
    copy.expiredBefore = this.expiredBefore;
    copy.lmids = new Map(this.lmids);
    copy.docs = new Map(this.docs);
    copy.#hashes = new Map(this.#hashes);
    return copy;
  }

  lmid(clientId: string): ModelLmid | undefined {
    return this.lmids.get(clientId);
  }

  entity(pk: PrimaryKey): Doc | undefined {
    return this.docs.get(pk);
  }

  isLive(pk: PrimaryKey): boolean {
    const doc = this.docs.get(pk);
    return doc?.put !== undefined && doc.delete === undefined;
  }

  /** Records at or below the position are skipped; a hole is the caller's to see. */
  apply(frame: Frame): void {
    const { base, records } = frame;
    for (let index = Math.max(0, this.position + 1 - base); index < records.length; index++) {
      this.position = base + index;
      this.#apply(records[index]!, base + index);
    }
  }

  #apply(record: LogRecord, position: number): void {
    switch (record.type) {
      case 'op': {
        const { clientId, seq, hlc, author } = record;
        const stamp = stampOf(record);
        for (const op of singlesOf(record.op)) this.#applySingle(op, stamp, originOf(record));
        if (hlc > this.maxHlc) this.maxHlc = hlc;
        const rejected = this.lmids.get(clientId)?.rejected ?? [];
        this.lmids.set(clientId, { seq, position, author, rejected, lastHlc: hlc });
        return;
      }
      case 'reject': {
        const before = this.lmids.get(record.clientId);
        const { seq, code } = record;
        const rejected = this.#ablations['rejects-not-listed'] ? [] : [...(before?.rejected ?? []), { seq, code }];
        const author = before?.author ?? record.author;
        this.lmids.set(record.clientId, { seq, position, author, rejected, lastHlc: before?.lastHlc ?? this.maxHlc });
        return;
      }
      case 'gc':
        this.forget(record.floor);
        if (record.expiredBefore !== undefined && !this.#ablations['expired-rows-kept']) this.expire(record.expiredBefore);
        return;
      case 'expire':
        this.lmids.delete(record.clientId);
    }
  }

  forget(floor: Timestamp): void {
    if (floor > this.floor) this.floor = floor;
    for (const [pk, doc] of this.docs) {
      if (doc.delete === undefined || doc.delete.hlc >= floor) continue;
      this.#drop(pk);
    }
  }

  /** Rows put before go, and leave nothing. @returns their keys. */
  expire(before: Timestamp): readonly PrimaryKey[] {
    if (before > this.expiredBefore) this.expiredBefore = before;
    const expired = this.expiredAt(before);
    for (const pk of expired) this.#drop(pk);
    return expired;
  }

  /** Live rows put before. */
  expiredAt(before: Timestamp): readonly PrimaryKey[] {
    return [...this.docs].flatMap(([pk, doc]) => (doc.delete === undefined && doc.put !== undefined && doc.put.hlc < before ? [pk] : []));
  }

  #drop(pk: PrimaryKey): void {
    this.hash = subHash(this.hash, this.#hashes.get(pk)!);
    this.#hashes.delete(pk);
    this.docs.delete(pk);
  }

  /** A fault, not an op: one stamp changes, as if a bit had turned over on disk. */
  corrupt(pk: PrimaryKey): void {
    const doc = this.docs.get(pk)!;
    const put = { hlc: ((doc.put?.hlc ?? 0) + 1) as Timestamp, clientId: doc.put?.clientId ?? '' };
    this.#set(pk, { ...doc, put });
  }

  #applySingle(op: SingleOp, stamp: Stamp, origin: Origin): void {
    const before = this.docs.get(op.pk);
    const after = foldOp(before, op, { stamp, origin });
    if (after === before || after === undefined) return;
    this.#set(op.pk, after);
  }

  #set(pk: PrimaryKey, doc: Doc): void {
    const before = this.#hashes.get(pk);
    const after = hashOf(pk, doc);
    this.hash = addHash(before === undefined ? this.hash : subHash(this.hash, before), after);
    this.#hashes.set(pk, after);
    this.docs.set(pk, doc);
  }
}

export function singlesOf(op: Op): readonly SingleOp[] {
  return op.type === 'batch' ? op.ops : [op];
}

export function fieldsOf(op: SingleOp): readonly string[] {
  if (op.type === 'put' || op.type === 'patch') return Object.keys(op.fields);
  return op.type === 'vector' || op.type === 'yjs' ? [op.field] : [];
}

function foldOp(
  doc: Doc | undefined,
  op: SingleOp,
  { stamp, origin }: { readonly stamp: Stamp; readonly origin: Origin },
): Doc | undefined {
  const isLive = doc !== undefined && doc.delete === undefined;
  if (op.type === 'put') {
    if (compareStamps(stamp, doc?.put) <= 0) return doc;
    if (doc?.delete !== undefined && compareStamps(stamp, doc.delete) <= 0) return { ...doc, put: stamp };
    const fields = new Map<string, Stamp>();
    for (const [field, register] of doc?.fields ?? NO_FIELDS) if (compareStamps(register, stamp) > 0) fields.set(field, register);
    return { put: stamp, delete: undefined, fields, base: origin };
  }
  if (op.type === 'delete') {
    if (isLive ? compareStamps(stamp, doc.put) <= 0 : compareStamps(stamp, doc?.delete) <= 0) return doc;
    return { put: doc?.put, delete: stamp, fields: NO_FIELDS };
  }
  // patch, vector, yjs: field registers of a live entity.
  if (!isLive || compareStamps(stamp, doc.put) <= 0) return doc;
  const fields = new Map(doc.fields);
  let changed = false;
  let { updates } = doc;
  if (op.type === 'yjs') {
    const text = op.update.join('.');
    if (updates?.includes(text)) return doc;
    updates = [...(updates ?? []), text].sort();
    changed = true;
  }
  for (const field of fieldsOf(op)) {
    if (compareStamps(stamp, fields.get(field)) <= 0) continue;
    fields.set(field, stamp);
    changed = true;
  }
  return changed ? { ...doc, fields, updates } : doc;
}

function hashOf(pk: PrimaryKey, doc: Doc): Hash64 {
  const text = (stamp: Stamp | undefined): string => (stamp === undefined ? '-' : `${stamp.hlc}@${stamp.clientId}`);
  let key = `${pk}|${text(doc.put)}|${text(doc.delete)}`;
  for (const field of [...doc.fields.keys()].sort()) key += `|${field}=${text(doc.fields.get(field))}`;
  if (doc.updates !== undefined) key += `|${doc.base?.clientId}:${doc.base?.seq}:${doc.updates.join(' ')}`;
  return hashText(key);
}

/** Two lanes of FNV-1a with Murmur's finish: as good as the engine's hash for telling states apart, without encoding the text first. */
function hashText(text: string): Hash64 {
  let lo = 0x811c9dc5;
  let hi = 0x9747b28c;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    lo = Math.imul(lo ^ code, 0x01000193);
    hi = Math.imul(hi ^ code, 0x5bd1e995);
    hi ^= hi >>> 15;
  }
  return { lo: mixed(lo), hi: mixed(hi) };
}

function mixed(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
