import type { Span, SpanAttributes } from '@terndb/core';

/** Within a part of `span`, where there is one. */
export async function traced<T>(
  span: Span | undefined,
  name: string,
  attributes: SpanAttributes,
  work: (part: Span | undefined) => Promise<T>,
): Promise<T> {
  if (span === undefined) return work(undefined);
  const part = span.child(name, attributes);
  try {
    const done = await work(part);
    part.end();
    return done;
  } catch (error) {
    part.end(error);
    throw error;
  }
}
