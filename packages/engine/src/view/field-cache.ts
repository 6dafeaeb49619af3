/**
 * What is derived from one field of a block, as long as the block lives: it hangs on the `cacheKey`, the same object for every view of one segment or of
 * one run of growing rows, and goes with it. Rows at given offsets never change under a cache key; rows may be added.
 */
export class FieldCache<T> {
  readonly #kept = new WeakMap<object, Map<string, T>>();

  of(block: { readonly cacheKey?: object }, field: string, make: () => T): T {
    const key = block.cacheKey ?? block;
    let byField = this.#kept.get(key);
    if (byField === undefined) {
      byField = new Map();
      this.#kept.set(key, byField);
    }
    let value = byField.get(field);
    if (value === undefined) {
      value = make();
      byField.set(field, value);
    }
    return value;
  }
}
