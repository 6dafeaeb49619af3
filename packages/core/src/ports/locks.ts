/** Named exclusive locks among the tabs (or processes) of one device. The Web Locks API in a browser. */
export interface Locks {
  /**
   * Waits without limit, first come first served. `held` runs while the lock is held; the lock is released when its promise settles, and its
   * rejection is passed on. `signal` ends only the waiting.
   * @throws ABORTED when the signal ended the waiting.
   */
  hold(name: string, options: { signal?: AbortSignalLike }, held: () => Promise<void>): Promise<void>;
}

/** The part of AbortSignal that core needs; core knows neither DOM nor Node. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
