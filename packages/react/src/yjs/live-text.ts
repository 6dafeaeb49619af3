import type { CollabDocument } from '@terndb/client/yjs';
import { Caret } from './caret.ts';

/** The text of a document for `useSyncExternalStore`. Made once per change, however often it is asked for. */
export class LiveText {
  /** Of the field that shows it. */
  readonly caret: Caret = new Caret();
  readonly #document: CollabDocument | null;
  readonly #listeners = new Set<() => void>();
  #text: string | undefined;
  #stop: () => void = () => {};

  constructor(document: CollabDocument | null) {
    this.#document = document;
  }

  readonly get = (): string | undefined => {
    if (this.#document === null) return undefined;
    // Unobserved, it may change at any time.
    if (this.#listeners.size === 0) return this.#document.text.toString();
    this.#text ??= this.#document.text.toString();
    return this.#text;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.#document === null) return () => {};
    if (this.#listeners.size === 0) this.#observe(this.#document);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  };

  /** Of this generation: another one is another store. */
  #observe({ text }: CollabDocument): void {
    this.#text = undefined;
    const changed = ({ delta }: { readonly delta: Parameters<Caret['moved']>[1] }): void => {
      this.#text = text.toString();
      this.caret.moved(this.#text, delta);
      for (const listener of [...this.#listeners]) listener();
    };
    text.observe(changed);
    this.#stop = () => text.unobserve(changed);
  }
}
