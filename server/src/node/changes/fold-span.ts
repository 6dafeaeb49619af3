import type { Span } from '@terndb/core';
import type { FeedEvent } from './types.ts';

/** What is told in one fold, in a span where it is traced. Its time is also that of its reader, who takes page by page. */
export async function* inSpan(
  span: Span | undefined,
  tell: (span: Span | undefined) => AsyncGenerator<FeedEvent, void, void>,
): AsyncGenerator<FeedEvent, void, void> {
  if (span === undefined) {
    yield* tell(undefined);
    return;
  }
  let changes = 0;
  let error: unknown;
  try {
    for await (const event of tell(span)) {
      if (event.type === 'changes') changes += event.count;
      yield event;
    }
  } catch (thrown) {
    error = thrown;
    throw thrown;
  } finally {
    span.set({ changes });
    span.end(error);
  }
}
