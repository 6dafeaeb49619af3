import type { Span } from '@terndb/core';
import type { Steps } from './jobs.ts';

/** The same steps, and the end of their span when they end. */
export function within<T>(span: Span | undefined, steps: Steps<T>): Steps<T> {
  return span === undefined ? steps : ended(span, steps);
}

function* ended<T>(span: Span, steps: Steps<T>): Steps<T> {
  try {
    return yield* steps;
  } finally {
    span.end();
  }
}
