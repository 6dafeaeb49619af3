import type { Link } from '@terndb/sync';
import type { LinkStatus } from './sync-state.ts';

/** How the socket of a host stands, from what its machine says. */
export class LinkWatch {
  #link: Link = 'offline';
  #detail: string | undefined;
  #attempt = 0;
  #retryInMs: number | null = null;

  get isOnline(): boolean {
    return this.#link === 'live' || this.#link === 'catching-up';
  }

  get status(): Pick<LinkStatus, 'link' | 'detail' | 'attempt' | 'retryInMs'> {
    const status = { link: this.#link, attempt: this.#attempt, retryInMs: this.#retryInMs };
    return this.#detail === undefined ? status : { ...status, detail: this.#detail };
  }

  /** @returns whether it has just stopped being live. */
  set({ link, detail }: { readonly link: Link; readonly detail?: string }): boolean {
    const wasLive = this.#link === 'live';
    if (link === 'connecting') this.#attempt += 1;
    if (link === 'live') this.#attempt = 0;
    this.#link = link;
    this.#detail = detail;
    return wasLive && link !== 'live';
  }

  retryIn(delayMs: number): void {
    this.#retryInMs = delayMs;
  }

  /** Of a host that is new. */
  reset(): void {
    this.#link = 'offline';
    this.#detail = undefined;
  }
}
