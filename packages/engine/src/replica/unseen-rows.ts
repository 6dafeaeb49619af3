import type { PrimaryKey, SingleOp, Timestamp } from '@terndb/core';

/**
 * What is known of rows that are not here: of a replica that left segments of its manifest out. An op on a key that is not here can be folded only
 * if it is newer than whatever may be there; of others nobody here can say what comes of them, so such a key stays unseen and is shown by nobody
 * here, rather than with a value that may be wrong.
 */
export class UnseenRows {
  /** No stamp in a segment of the manifest is newer. */
  readonly #newest: Timestamp;
  /** By key: the newest op that was passed over. Bounded by the tail since the manifest. */
  readonly #passedOver = new Map<PrimaryKey, Timestamp>();

  constructor(newest: Timestamp) {
    this.#newest = newest;
  }

  /** Whether an op on a key that is not here settles it: a put or a delete that is newer than all that may be there. */
  admits(op: SingleOp, hlc: Timestamp): boolean {
    const known = Math.max(this.#newest, this.#passedOver.get(op.pk) ?? 0);
    if (hlc <= known) return false;
    if (op.type === 'put' || op.type === 'delete') {
      this.#passedOver.delete(op.pk);
      return true;
    }
    this.#passedOver.set(op.pk, hlc);
    return false;
  }
}
