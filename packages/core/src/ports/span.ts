/** Numbers, names, counts. Never a value of a row, a vector, a filter, a token. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/**
 * A piece of work of a traced request, for whoever collects traces. Where nothing is traced there is none: what may have one has `span?: Span`, and
 * nothing is computed for it.
 */
export interface Span {
  /** A part of it that begins now. */
  child(name: string, attributes?: SpanAttributes): Span;
  set(attributes: SpanAttributes): void;
  /** Once. `error`: what it ended in; only its code is told. */
  end(error?: unknown): void;
}
