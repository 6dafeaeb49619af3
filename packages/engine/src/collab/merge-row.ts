import type { Origin, Stamp } from '@terndb/core';
import type { RowSource } from '../replica/row-source.ts';
import { collabDocuments } from './load.ts';
import type { CollabKind, CollabMerge } from './types.ts';

/** Whether an update is for the document that this put began. A put whose seq was not stored (0) takes any of its client's. */
export function isBaseOf(base: Origin, put: Stamp, putSeq: number): boolean {
  return base.clientId === put.clientId && (base.seq === putSeq || putSeq === 0);
}

/** An update merged into what a row has. Undefined where Yjs refuses it: what is in the log has no effect then, on any device. */
export function mergeAt(merge: {
  readonly kind: CollabKind;
  readonly source: RowSource;
  readonly offset: number;
  readonly field: string;
  readonly update: Uint8Array;
  readonly isPending: boolean;
}): CollabMerge | undefined {
  const { kind, source, offset, field, update, isPending } = merge;
  const documents = collabDocuments();
  const before = source.collabAt(field, offset) ?? documents.begin(kind, source.valueAt(field, offset));
  return documents.merge(kind, before, update, isPending);
}
