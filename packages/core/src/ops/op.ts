import type { Timestamp } from '../time/timestamp.ts';
import type { PrimaryKey, StoredFields } from '../value/value.ts';

/**
 * Operations and records of the log (design 5). Ops set state: they never depend on what they meet, so replaying them is safe.
 * Validation happens before append; after append nothing can fail.
 */

/** Sets every field at its stamp: a field left out becomes its default, or null. */
export interface PutOp {
  readonly type: 'put';
  readonly pk: PrimaryKey;
  readonly fields: StoredFields;
  /** The writer held no live entity with this key (R8). */
  readonly create: boolean;
}
/** Sets the named fields of a live entity. Refused by the leader (or without effect locally) when the entity is not live. */
export interface PatchOp {
  readonly type: 'patch';
  readonly pk: PrimaryKey;
  readonly fields: StoredFields;
}
export interface DeleteOp {
  readonly type: 'delete';
  readonly pk: PrimaryKey;
}
/** A Yjs update of one collab field; `base` names the put that started the document, by the origin of its record. */
export interface YjsOp {
  readonly type: 'yjs';
  readonly pk: PrimaryKey;
  readonly field: string;
  readonly base: Origin;
  readonly update: Uint8Array;
}
/** A derived vector; valid while `sourceHash` (16 bytes) equals the hash of the visible source text. */
export interface VectorOp {
  readonly type: 'vector';
  readonly pk: PrimaryKey;
  readonly field: string;
  readonly model: string;
  readonly sourceHash: Uint8Array;
  readonly vector: Float32Array;
}
export type SingleOp = PutOp | PatchOp | DeleteOp | YjsOp | VectorOp;
/** Ops of one channel: one stamp, one outcome, one position. */
export interface BatchOp {
  readonly type: 'batch';
  readonly ops: readonly SingleOp[];
}
export type Op = SingleOp | BatchOp;

/** Where an op was first written: it keeps this when it is queued again under another client id. */
export interface Origin {
  readonly clientId: string;
  readonly seq: number;
}

export interface OpRecord {
  readonly type: 'op';
  readonly op: Op;
  readonly hlc: Timestamp;
  /** Under which it is counted and deduplicated. Its stamp breaks ties by the origin: `stampOf`. */
  readonly clientId: string;
  /** Per (client id, channel), contiguous from 1 (R2). */
  readonly seq: number;
  /** Opaque subject of the writer; empty on a device that never connected. */
  readonly author: string;
  readonly schemaVersion: number;
  /** Absent: `clientId` and `seq` themselves. */
  readonly origin?: Origin;
}
export interface RejectRecord {
  readonly type: 'reject';
  readonly clientId: string;
  readonly seq: number;
  readonly code: string;
  /** Subject of the refused op: a client id is bound to it (design 4). Empty in frames of version 1. */
  readonly author: string;
}
/** Tombstones older than `floor` are forgotten at this position by everybody (R7). */
export interface GcRecord {
  readonly type: 'gc';
  readonly floor: Timestamp;
  /** TTL: rows whose expiry is before this go too. */
  readonly expiredBefore?: Timestamp;
}
export interface ExpireRecord {
  readonly type: 'expire';
  readonly clientId: string;
}
export type LogRecord = OpRecord | RejectRecord | GcRecord | ExpireRecord;

/** A 64-bit hash as two unsigned 32-bit halves; sums wrap at 2^64 (R13). */
export interface Hash64 {
  readonly lo: number;
  readonly hi: number;
}

/** An atomic batch of records of one channel: one broker message. */
export interface Frame {
  readonly logEpoch: string;
  readonly leaderEpoch: number;
  readonly channel: string;
  /** Position of the first record; positions are contiguous from 1. */
  readonly base: number;
  /** The channel's state hash before the first record. */
  readonly hashBefore: Hash64;
  readonly records: readonly LogRecord[];
}

/** What a slot's log says about the slot itself, between the frames of its channels. */
export type SlotRecord =
  /** A new leader begins; frames of lower leader epochs after it are void (R17). */
  | { readonly type: 'lead'; readonly leaderEpoch: number }
  /** The leader's time when it wrote this: who has read up to here has seen everything acknowledged before (design 7). */
  | { readonly type: 'tick'; readonly time: Timestamp };

/** One broker message that belongs to the slot and to none of its channels. */
export interface SlotFrame {
  readonly logEpoch: string;
  /** Of a `lead`, the same as the record's. */
  readonly leaderEpoch: number;
  readonly record: SlotRecord;
}
