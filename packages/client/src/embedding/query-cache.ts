import type { Embedder } from '@terndb/embed';

/** Texts of searches: what is typed, letter by letter and back again. */
const MAX_TEXTS = 128;

/** The vectors of the last search texts, by model. A text under way is shared. */
export class QueryCache {
  readonly #vectors = new Map<string, Promise<Float32Array>>();

  get(embedder: Embedder, text: string): Promise<Float32Array> {
    const key = `${embedder.id}\n${text}`;
    let vector = this.#vectors.get(key);
    if (vector === undefined) {
      vector = embedder.embed([text], { kind: 'query' }).then(([first]) => first!);
      // What failed is tried again.
      vector.catch(() => this.#vectors.delete(key));
    } else this.#vectors.delete(key);
    this.#vectors.set(key, vector);
    if (this.#vectors.size > MAX_TEXTS) this.#vectors.delete(this.#vectors.keys().next().value!);
    return vector;
  }
}
