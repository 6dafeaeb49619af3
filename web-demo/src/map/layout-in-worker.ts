import type { LayoutAnswer, LayoutRequest } from './layout-protocol.ts';

/** What the worker says, to its end, which comes at the latest with the signal. */
export function layOutInWorker(request: LayoutRequest, onAnswer: (answer: LayoutAnswer) => void, signal: AbortSignal): void {
  const worker = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' });
  const end = (): void => worker.terminate();
  signal.addEventListener('abort', end, { once: true });
  worker.onmessage = ({ data }: MessageEvent<LayoutAnswer>) => {
    if (signal.aborted) return;
    if (data.type === 'done' || data.type === 'failed') end();
    onAnswer(data);
  };
  worker.onerror = (event) => {
    end();
    if (!signal.aborted) onAnswer({ type: 'failed', message: event.message || 'the map worker could not start' });
  };
  worker.postMessage(request, [request.vectors.buffer]);
}
