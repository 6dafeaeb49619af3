import type { JsonValue, PrimaryKey } from '@terndb/core';
import type { SyncStatus } from '../api/status.ts';
import type { TokenWanted } from './token-desk.ts';

/** What every tab is told of replication; the newest replaces those before it. */
export interface SyncReport {
  readonly status: Omit<SyncStatus, 'leader'>;
  /** This leader has not heard of a connection yet: a page that has one says it again. */
  readonly isNew: boolean;
  readonly token: TokenWanted | null;
  /** Changes with the list of refused writes. */
  readonly rejectedVersion: number;
  /** The last conflicts; `id`s ascend. */
  readonly conflicts: readonly ConflictItem[];
}

export interface ConflictItem {
  readonly id: number;
  readonly collection: string;
  readonly partition: string;
  readonly key: PrimaryKey;
  readonly field: string;
  readonly kept: unknown;
  readonly lost: unknown;
}

export interface RejectedItem {
  readonly channel: string;
  readonly id: number;
  readonly collection: string;
  readonly partition: string;
  readonly key: PrimaryKey;
  readonly error: { readonly code: string; readonly message: string; readonly details: Readonly<Record<string, JsonValue>> };
  readonly op: RejectedOp;
}
export type RejectedOp =
  | { readonly type: 'put' | 'patch'; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly type: 'delete' }
  | { readonly type: 'collab'; readonly field: string; readonly update: Uint8Array };
