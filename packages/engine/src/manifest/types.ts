import type { Hash64, Timestamp } from '@terndb/core';

/** An index file of one segment and field. Position-independent; the first one published wins. */
export interface ManifestIndex {
  readonly field: string;
  /** `hnsw`, … */
  readonly type: string;
  readonly name: string;
  readonly bytes: number;
  /** crc32c of the file, so that nothing relies on two builders agreeing. */
  readonly checksum: number;
}

export interface ManifestSegment {
  readonly id: string;
  /** Object name. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  /** Bit set: the row is superseded or deleted. `ceil(rows / 32)` words, bits at and above `rows` 0; null when no row is dead. */
  readonly dead: Uint32Array | null;
  readonly indexes: readonly ManifestIndex[];
}

/** The tombstone file: an object, or its bytes when they are small. */
export type ManifestTombstones =
  | { readonly type: 'none' }
  | { readonly type: 'inline'; readonly bytes: Uint8Array }
  | { readonly type: 'object'; readonly name: string; readonly bytes: number };

/** Last mutation of one client on the channel (R1). */
export interface LmidEntry {
  readonly clientId: string;
  readonly lmid: number;
  /** Position of that mutation's record. */
  readonly position: number;
  /** Timestamp of the client's last record: idle clients expire (R15). */
  readonly lastHlc: Timestamp;
  /** Subject that the id is bound to (design 4). Empty: a device of its own, or a manifest of version 1. */
  readonly author: string;
  readonly rejected: readonly { readonly seq: number; readonly code: string }[];
}

/** A channel's state at `upTo`. A reader loads it and then the tail from `upTo + 1`. */
export interface Manifest {
  readonly logEpoch: string;
  readonly channel: string;
  /** Contiguous from 1 per channel. */
  readonly version: number;
  readonly upTo: number;
  /** Sequence in the broker's stream of the last entry folded. */
  readonly brokerCursor: number;
  /** Tombstones older than this are forgotten (R7). */
  readonly floor: Timestamp;
  readonly maxHlc: Timestamp;
  /** Sum over live rows and tombstones (R13). */
  readonly hash: Hash64;
  readonly schemaVersion: number;
  readonly segments: readonly ManifestSegment[];
  readonly tombstones: ManifestTombstones;
  /** Ascending by client id (code units). */
  readonly lmids: readonly LmidEntry[];
}
