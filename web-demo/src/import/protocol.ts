import type { ParsedPassage, Problem } from './parsed.ts';

/**
 * Between the page and its import worker, version 1: both come from one build. The page asks, the worker answers each request once;
 * the page ends the conversation by terminating the worker.
 */
export type ImportRequest = { readonly type: 'start'; readonly file: File } | { readonly type: 'next' };

export interface Batch {
  readonly passages: readonly ParsedPassage[];
  readonly problems: readonly Problem[];
  /** Bytes of the file read so far. */
  readonly doneBytes: number;
}

export type ImportAnswer =
  | { readonly type: 'batch'; readonly batch: Batch }
  | { readonly type: 'end' }
  | { readonly type: 'failed'; readonly message: string };
