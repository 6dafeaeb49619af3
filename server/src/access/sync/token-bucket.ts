/**
 * So many a second, with a second's worth at once. What costs more than there is goes through and leaves a debt, which must be earned back before
 * the next: a push that is larger than the rate waits, but not for ever.
 */
export class TokenBucket {
  readonly perSecond: number;
  #left: number;
  #atMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.perSecond = perSecond;
    this.#left = perSecond;
    this.#atMs = nowMs;
  }

  /** Takes it, in advance if need be. @returns how long to wait before the next, milliseconds; 0: it may come. */
  take(nowMs: number, cost = 1): number {
    this.#earn(nowMs);
    this.#left -= cost;
    return this.#left >= 0 ? 0 : Math.ceil((-this.#left / this.perSecond) * 1000);
  }

  /** How long until something may be taken without a debt being there already, milliseconds. Takes nothing. */
  waitMs(nowMs: number): number {
    this.#earn(nowMs);
    return this.#left > 0 ? 0 : Math.max(1, Math.ceil((-this.#left / this.perSecond) * 1000));
  }

  #earn(nowMs: number): void {
    const earned = ((nowMs - this.#atMs) / 1000) * this.perSecond;
    this.#left = Math.min(this.perSecond, this.#left + Math.max(0, earned));
    this.#atMs = nowMs;
  }
}
