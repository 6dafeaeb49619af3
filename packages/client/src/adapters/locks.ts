import type { Locks } from '@terndb/core';

/** Web Locks, or undefined where there are none (insecure contexts). */
export function browserLocks(): Locks | undefined {
  const manager: LockManager | undefined = navigator.locks;
  if (manager === undefined) return undefined;
  return {
    async hold(name, { signal }, held) {
      const options: LockOptions = signal === undefined ? {} : { signal: signal as AbortSignal };
      await manager.request(name, options, held);
    },
  };
}
