/**
 * Each rule of the log (SPEC.md) can be switched off, so that the simulation can show that its checkers notice. Never in production: the option
 * is only taken by `packages/sim`. The value says which rule it takes away.
 */
export const ABLATIONS = {
  /** LMIDs are not in the records: a new leader knows only what the manifest has. */
  'lmid-apart': 'R1',
  /** The LMID entry does not list the rejected seqs. */
  'rejects-not-listed': 'R1',
  /** A lost database is opened again under the same client id. */
  'same-id-after-loss': 'R2',
  /** A write is called durable when its batch is on its way. */
  'local-before-durable': 'R2',
  /** Any seq above the LMID is appended. */
  'no-gap-check': 'R2',
  /** An op that was queued again keeps `create`. */
  'requeue-keeps-create': 'R2',
  /** A refusal appends nothing. */
  'reject-without-record': 'R3',
  /** An unknown outcome is taken for a refusal. */
  'drop-on-unknown': 'R3',
  /** An overlay entry leaves with the ack. */
  'overlay-at-ack': 'R4',
  /** Entries leave the overlay first, records become visible one by one. */
  'frame-not-atomic': 'R5',
  /** A re-bootstrap is shown as soon as it is there. */
  'swap-early': 'R6',
  /** Tombstones leave manifests, without a record. */
  'gc-in-manifest-only': 'R7',
  /** A replica keeps rows that a record says have expired. */
  'expired-rows-kept': 'R7',
  /** A replica drops rows that have expired by its own clock, without a record. */
  'expired-by-own-clock': 'R7',
  /** Ops below the floor are accepted. */
  'no-floor': 'R8',
  /** Stamps of the future are accepted. */
  'no-clamp': 'R9',
  /** Stamped again above the wall clock, neither above the leader's HLC nor above what the log has shown. */
  'restamp-wall-clock': 'R9',
  /** Stamped again above the leader's HLC as it was when it answered, whatever was shown since. */
  'restamp-below-seen': 'R9',
  /** Only the bounced op is stamped again. */
  'restamp-one': 'R9',
  /** The leader stamps again, in the record. */
  'restamp-at-leader': 'R9',
  /** Manifests carry no max HLC, and opening one moves no clock. */
  'manifest-without-hlc': 'R10',
  /** A tab writes whatever term the database has. */
  'no-term-fence': 'R11',
  /** Appends do not expect the last sequence. */
  'no-append-fence': 'R11',
  /** Whatever position comes is applied. */
  'no-hole-check': 'R12',
  /** Nobody compares hashes. */
  'no-hash-check': 'R13',
  /** A new log epoch keeps client id and seqs. */
  'keep-id-on-restore': 'R14',
  /** A new epoch is shown before the head named at subscription. */
  'epoch-swap-early': 'R14',
  /** A client told that it is unknown goes on under its id. */
  'keep-expired-id': 'R15',
  /** Appending `expire` leaves subscriptions open. */
  'expire-keeps-subscription': 'R15',
  /** Acknowledged ops are dropped at once. */
  'acked-not-kept': 'R16',
  /** A new leader serves from the manifest. */
  'lead-before-fold': 'R17',
  /** A new leader appends nothing of its own. */
  'no-lead-record': 'R17',
  /** A strong read is answered from what the leader has, without a tick. */
  'tick-not-appended': 'R17',
  /** A leader answers a subscribe from what it has, whoever leads by now. */
  'unconfirmed-subscribe': 'R17',
  /** After an unknown outcome, append again at the new end. */
  'blind-append-retry': 'R17',
  /** Ack first, append later. */
  'ack-before-append': 'R17',
  /** An op of a schema that the leader has not heard of yet is refused for good. */
  'newer-schema-refused': 'R3',
  /** An app goes on with a stored answer of the servers that lacks fields of its own, and does not wait for the next. */
  'connect-unresolved': 'schema',
  /** Collab updates are taken whatever put they name. */
  'any-yjs-base': 'yjs',
  /** An op that is queued again gets the stamp's tie-break, and the identity that bases name, of its new id. */
  'requeue-without-origin': 'R2',
  /** Frames and answers of an older subscription stay valid, and pushes need none. */
  'no-subscription-fence': 'R18',
} as const;

export type AblationName = keyof typeof ABLATIONS;
export type Ablations = { readonly [name in AblationName]?: true };
