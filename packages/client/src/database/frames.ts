/** A hidden page gets no frames: deliver anyway, more slowly. */
const HIDDEN_DELAY_MS = 250;
const NO_FRAMES_DELAY_MS = 16;

/** Calls back once, at the next frame. Returns the cancel. */
export function onNextFrame(callback: () => void): () => void {
  let done = false;
  const run = (): void => {
    if (done) return;
    cancel();
    callback();
  };
  const frames = typeof requestAnimationFrame === 'function';
  const frame = frames ? requestAnimationFrame(run) : 0;
  const timer = setTimeout(run, frames ? HIDDEN_DELAY_MS : NO_FRAMES_DELAY_MS);
  const cancel = (): void => {
    done = true;
    clearTimeout(timer);
    if (frames) cancelAnimationFrame(frame);
  };
  return cancel;
}
