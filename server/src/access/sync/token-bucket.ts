/** So many a second, with a second's worth at once. */
export class TokenBucket {
  readonly #perSecond: number;
  #left: number;
  #atMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
    this.#atMs = nowMs;
  }

  /** Takes one, in advance if need be. @returns how long to wait before the next, milliseconds; 0: it may come. */
  take(nowMs: number): number {
    const earned = ((nowMs - this.#atMs) / 1000) * this.#perSecond;
    this.#left = Math.min(this.#perSecond, this.#left + Math.max(0, earned)) - 1;
    this.#atMs = nowMs;
    return this.#left >= 0 ? 0 : Math.ceil((-this.#left / this.#perSecond) * 1000);
  }
}
