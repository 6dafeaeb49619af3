import type { Clock, DbError, Rng } from '@terndb/core';
import type { Engine } from '@terndb/engine';
import type { ObjectsInParts } from '../storage/object-parts.ts';
import type { Network } from './network.ts';
import type { OutboxSlot } from './outbox-slot.ts';
import type { PresenceDesk } from './presence-desk.ts';
import type { RowStore } from './store/row-store.ts';

export interface SyncPorts {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly network: Network;
  readonly rows: RowStore;
  readonly objects: ObjectsInParts;
  readonly engine: Engine;
  readonly outbox: OutboxSlot;
  readonly presence: PresenceDesk;
  /** Of this leader (R11). */
  readonly term: number;
  /** Runs something while no call of the app runs. */
  readonly exclusive: (run: () => Promise<void>) => Promise<void>;
  /** The server's schema has more than the engine's: it is to be opened again with this one, which is stored by then. */
  readonly onSchema: () => void;
  /** Another tab leads, or what is stored cannot be read. */
  readonly onFailed: (error: DbError) => void;
}
