import { DbError, type Locks } from '@terndb/core';

/** Web Locks, or undefined where there are none (insecure contexts). */
export function browserLocks(): Locks | undefined {
  const manager: LockManager | undefined = navigator.locks;
  if (manager === undefined) return undefined;
  return {
    async hold(name, { signal }, held) {
      const options: LockOptions = signal === undefined ? {} : { signal: signal as AbortSignal };
      let waiting = true;
      try {
        await manager.request(name, options, () => {
          waiting = false;
          return held();
        });
      } catch (thrown) {
        if (waiting && signal?.aborted) throw new DbError('ABORTED', `lock ${name}: waiting ended by its signal`, { cause: thrown });
        throw thrown;
      }
    },
  };
}
