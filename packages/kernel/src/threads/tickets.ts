/** As many as can be on their way: threads × batches × searches of a batch, and then some. */
const MAX_TICKETS = 4096;

/** Numbers of the searches that were sent to threads, and which of them nobody wants any more: threads see that without a message. */
export class Tickets {
  /** By ticket, in memory that threads share. */
  readonly withdrawn: Int32Array = new Int32Array(new SharedArrayBuffer(MAX_TICKETS * 4));
  private readonly free: number[] = Array.from({ length: MAX_TICKETS }, (_, at) => MAX_TICKETS - 1 - at);

  take(): number {
    const ticket = this.free.pop();
    if (ticket === undefined) throw new Error(`search pool: at most ${MAX_TICKETS} searches on their way expected`);
    return ticket;
  }

  /** Undefined: it was never sent. */
  withdraw(ticket: number | undefined): void {
    if (ticket !== undefined) Atomics.store(this.withdrawn, ticket, 1);
  }

  /** It is answered, or its thread has ended. */
  giveBack(ticket: number | undefined): void {
    if (ticket === undefined) return;
    Atomics.store(this.withdrawn, ticket, 0);
    this.free.push(ticket);
  }
}
