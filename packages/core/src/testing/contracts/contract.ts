import type * as vitest from 'vitest';

/** What a contract suite needs of the test runner, passed in so that one suite runs in Node and in browsers. */
export interface ContractApi {
  readonly describe: typeof vitest.describe;
  readonly it: typeof vitest.it;
  readonly expect: typeof vitest.expect;
}

/** One store under test. */
export interface ContractSubject<Store> {
  readonly store: Store;
  /** Closes the instance that was used so far and opens the same data with a new one. */
  reopen(): Promise<Store>;
  /** Removes everything. */
  dispose(): Promise<void>;
}

/** A fresh, empty store; called once per test. */
export type MakeSubject<Store> = () => Promise<ContractSubject<Store>>;

/** Runs a test body with a fresh subject and disposes it whatever happens. */
export function withSubject<Store>(
  make: MakeSubject<Store>,
  body: (subject: ContractSubject<Store>) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const subject = await make();
    try {
      await body(subject);
    } finally {
      await subject.dispose();
    }
  };
}

/** `length` bytes that differ from place to place and from seed to seed. */
export function patternBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** Byte equality without a per-byte diff, which for megabytes takes minutes. */
export function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  if (a === undefined || a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
