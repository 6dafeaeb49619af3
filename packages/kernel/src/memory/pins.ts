import { KernelError } from '../errors.ts';

/**
 * Who is being read by other threads. What they read is neither changed nor freed meanwhile: changing throws, freeing waits for the last of them.
 * Only the thread that owns the memory counts; it hears of every search's end.
 */
export class Pins {
  private readonly counts = new Map<object, number>();
  private readonly waiting = new Map<object, () => void>();
  /** Told of everything that is freed. */
  onFreed: ((owner: object) => void) | undefined;

  pin(owner: object): void {
    this.counts.set(owner, (this.counts.get(owner) ?? 0) + 1);
  }

  unpin(owner: object): void {
    const rest = (this.counts.get(owner) ?? 0) - 1;
    if (rest > 0) {
      this.counts.set(owner, rest);
      return;
    }
    this.counts.delete(owner);
    const free = this.waiting.get(owner);
    this.waiting.delete(owner);
    if (free) this.free(owner, free);
  }

  /** Now, or when the last reader has ended. */
  whenFree(owner: object, free: () => void): void {
    if (this.counts.has(owner)) this.waiting.set(owner, free);
    else this.free(owner, free);
  }

  /** Throws OPTION_INVALID. */
  mustBeFree(owner: object, what: string): void {
    const searches = this.counts.get(owner);
    if (searches === undefined) return;
    throw new KernelError('OPTION_INVALID', `${what}: changed while ${searches} searches of other threads read it`, {
      details: { searches },
    });
  }

  private free(owner: object, free: () => void): void {
    free();
    this.onFreed?.(owner);
  }
}
