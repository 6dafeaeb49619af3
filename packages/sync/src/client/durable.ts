import type { Op, Origin, Timestamp } from '@terndb/core';

/**
 * What a device keeps of replication, beside the replica itself. Every change goes through a `persist` effect: one transaction, all or nothing,
 * in the order of the effects. Timestamps and times in ms as the device knew them.
 */

/** A write that the log has not confirmed, or not yet at the applied position. */
export interface OutboxEntry {
  /** Order of the writes of this device; never reused. */
  readonly id: number;
  readonly channel: string;
  readonly op: Op;
  readonly hlc: Timestamp;
  /** The client id that `seq` counts under (R2). */
  readonly clientId: string;
  readonly seq: number;
  /** Who wrote it; it is pushed under no other subject. Empty: written before the first connection. */
  readonly subject: string;
  /** It may have left the device. Durable before it does (R2). */
  readonly sent: boolean;
  readonly schemaVersion: number;
  /** Where it was first written, when it has been queued again since: its stamp breaks ties by that id (`stampOf` in core). */
  readonly origin?: Origin;
}

/** An acknowledged op that a restored server may ask back (R16). */
export interface KeptEntry extends OutboxEntry {
  readonly keptAtMs: number;
}

export interface RejectedEntry extends OutboxEntry {
  readonly code: string;
}

export interface DeviceRecord {
  readonly clientId: string;
  /** Empty before the first connection. */
  readonly subject: string;
  readonly logEpoch: string | null;
  /** Highest timestamp given out or followed. */
  readonly hlc: Timestamp;
  readonly nextId: number;
}

export interface ChannelRecord {
  readonly channel: string;
  /** The id its outbox counts under; differs from the device's until what is held has been queued again. */
  readonly clientId: string;
  readonly nextSeq: number;
  /** Something was sent under `clientId` here. */
  readonly everSent: boolean;
  /** The universe its replica is of; null: there is no replica. */
  readonly logEpoch: string | null;
}

export interface DurableChannel extends ChannelRecord {
  /** Applied position of the stored replica. */
  readonly position: number;
  /** Of the stored replica: what this device has seen, and must stamp above (R10). */
  readonly maxHlc: Timestamp;
  readonly outbox: readonly OutboxEntry[];
  readonly kept: readonly KeptEntry[];
}

export interface DurableState {
  readonly device: DeviceRecord;
  readonly channels: readonly DurableChannel[];
}
