import type { Clock, DbError, Rng, Timestamp } from '@terndb/core';
import type { FollowedPlace, Replication } from '@terndb/engine';
import type { Altered, Hinted, Link, Present, Role } from '@terndb/sync';
import type { BootstrapDownloader } from './bootstrap.ts';
import type { Endpoint, Network } from './network.ts';
import type { SyncStore } from './store/sync-store.ts';
import type { TokenSource } from './token.ts';

export interface HostPorts {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly store: SyncStore;
  readonly replication: Replication;
  readonly network: Network;
  readonly endpoint: Endpoint;
  readonly downloader: BootstrapDownloader;
  readonly token: TokenSource;
}

/** A followed channel, the version its collection has on the server, and how much of its segments is kept here. */
export interface SyncPlace extends FollowedPlace {
  readonly schemaVersion: number;
  /** Null: all. */
  readonly budgetBytes: number | null;
}

/** What the machine says that others care about. None may throw. */
export interface HostEvents {
  onStatus(status: { readonly role: Role; readonly link: Link; readonly detail?: string }): void;
  /** The outbox of a channel changed, or what is applied of it. */
  onChange(): void;
  onAcked(channel: string, id: number, position: number): void;
  onRejected(channel: string, id: number, code: string): void;
  onDenied(channel: string, access: 'read' | 'write' | 'quota'): void;
  onGone(channel: string): void;
  /** Everything acknowledged before `time` (server's clock) is shown. */
  onFresh(channel: string, time: Timestamp): void;
  /** Another universe (R14): positions of before mean nothing any more. */
  onEpoch(): void;
  onRetry(delayMs: number): void;
  onProgress(channel: string, doneBytes: number, totalBytes: number): void;
  /** Another replica is shown, and stored: objects of the one before may not be needed any more. */
  onSwapped(channel: string): void;
  /** Where somebody else is. */
  onPresent(message: Present): void;
  /** What somebody else types. */
  onHinted(message: Hinted): void;
  /** The schema that the server has for a channel. */
  onAltered(message: Altered): void;
  /** Another tab leads, or the stored state cannot be read: this host is over. */
  onFailed(error: DbError): void;
}
