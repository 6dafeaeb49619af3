/** Runs operations one after another, in the order of the calls; a failed one does not stop the next. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation, operation);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
