import type { DeniedWrites } from '../api/status.ts';
import type { SyncPlace } from './host-types.ts';
import type { SyncReport } from './sync-report.ts';

/** Channels whose writes the server does not take now, and why. What is in their outboxes stays there. */
export class Denials {
  readonly #codes = new Map<string, DeniedWrites['code']>();

  /** Of one of them; undefined: there is none. */
  get code(): DeniedWrites['code'] | undefined {
    return this.#codes.values().next().value;
  }

  add(channel: string, access: 'read' | 'write' | 'quota'): void {
    this.#codes.set(channel, access === 'quota' ? 'QUOTA_EXCEEDED' : 'FORBIDDEN');
  }

  /** The server has taken something. @returns whether it was denied before. */
  ended(channel: string): boolean {
    return this.#codes.delete(channel);
  }

  clear(): void {
    this.#codes.clear();
  }

  status(placeOf: (channel: string) => SyncPlace | undefined): Pick<SyncReport['status'], 'denied'> {
    const denied = [...this.#codes].flatMap(([channel, code]) => {
      const place = placeOf(channel);
      return place === undefined ? [] : [{ collection: place.collection, partition: place.partition, code }];
    });
    // Said, not left out: what is told is laid over what was told before.
    return { denied: denied.length === 0 ? undefined : denied };
  }
}
