import type { ClientEvent } from '@terndb/sync';
import type { Device } from './device.ts';
import { resolveSchema } from './schemas.ts';

/** The tab that asks. */
interface Asking {
  /** It leads still, in the same term. */
  readonly isCurrent: () => boolean;
  readonly event: (event: ClientEvent) => void;
  readonly after: (delayMs: number, event: () => ClientEvent | undefined) => void;
}

/**
 * The servers are asked whether the schema of the app fits theirs, as `SyncService` of the client does. Until they have answered, only an app
 * whose schema their last answer covers goes on, and one that does not fit stays closed until it or they are replaced; writes go into the outbox
 * all the time.
 */
export function agreeOnSchema(device: Device, tab: Asking): void {
  const { world, cluster, schema } = device;
  const isCovered = resolveSchema(device.answer, schema, false) === device.answer;
  if (isCovered || world.ablations['connect-unresolved']) tab.event({ type: 'start' });
  tab.after(world.random.between(5, 60), () => {
    if (!tab.isCurrent()) return undefined;
    if (device.isOffline || world.fault('partition', 0.1)) {
      tab.after(world.random.between(500, 3_000), () => {
        if (tab.isCurrent()) agreeOnSchema(device, tab);
        return undefined;
      });
      return undefined;
    }
    const fits = cluster.agreeOnSchema(schema);
    if (fits !== undefined) device.answer = fits;
    else world.ledger.count('schemas that do not fit');
    if (fits === undefined && world.ablations['connect-unresolved']) return undefined;
    return { type: fits === undefined ? 'stop' : 'start' };
  });
}
