/** A bug in Tern, not in its input. Never caught except to report. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError' as const;
}

/** Throws AssertionError. The message is lazy where building it costs something. */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionError(typeof message === 'string' ? message : message());
}

/** Closes a switch over a union: a new member is a compile error here. */
export function assertNever(value: never, what: string): never {
  throw new AssertionError(`${what}: unexpected ${JSON.stringify(value)}`);
}
