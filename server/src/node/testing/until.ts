const POLL_MS = 5;
const LIMIT_MS = 15_000;

/** Waits for something that happens by itself; says what it waited for when it does not. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const steps = LIMIT_MS / POLL_MS;
  for (let step = 0; step < steps; step++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`waited ${LIMIT_MS} ms for ${what}`);
}
