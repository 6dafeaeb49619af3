/** A thread of a search pool: told what lies in the shared memory, answers searches. */
import { parentPort, workerData } from 'node:worker_threads';
import { WasmBinaryBlock } from '../block/binary-block.ts';
import { WasmBlock } from '../block/block.ts';
import { KernelError } from '../errors.ts';
import type { HnswSearchOptions } from '../index/types.ts';
import type { BinaryScanOptions, ScanHits, ScanOptions } from '../types.ts';
import type { Answer, FromThread, SentSearch, ThreadData, ToThread } from './protocol.ts';
import { attach, type Held, type Shared } from './shared.ts';
import { threadHome } from './shared-memory.ts';

const port = parentPort!;
const { module, memory, own, withdrawn } = workerData as ThreadData;
let home = threadHome(module, memory, own);
const known = new Map<number, { readonly shared: Shared; held?: Held }>();

/** Made when it is first searched, so that a lack of room is an answer to somebody. */
function heldOf(target: number): Held {
  const found = known.get(target);
  if (!found) throw new KernelError('INTERNAL', `search thread: ${target} was not attached`);
  found.held ??= attach(home, found.shared);
  return found.held;
}

function forget(target: number): void {
  known.get(target)?.held?.free();
  known.delete(target);
}

function search({ target, options }: SentSearch): ScanHits {
  const held = heldOf(target);
  if (held instanceof WasmBinaryBlock) return held.scan(options as BinaryScanOptions);
  if (held instanceof WasmBlock) return held.scan(options as ScanOptions);
  const { block, ...rest } = options as Exclude<SentSearch['options'], ScanOptions | BinaryScanOptions>;
  return held.search({ ...rest, ...(block !== undefined && { block: heldOf(block) as WasmBlock }) } as HnswSearchOptions);
}

function answer(sent: SentSearch): Answer {
  try {
    if (Atomics.load(withdrawn, sent.ticket) !== 0) throw new KernelError('ABORTED', 'search pool: its caller has given it up');
    return { hits: search(sent) };
  } catch (error) {
    // Anything else is a bug, or a trap: the thread ends with it, and the pool starts another.
    if (!(error instanceof KernelError)) throw error;
    const { code, message, details } = error;
    return { error: { code, message, details } };
  }
}

function take(message: ToThread): void {
  switch (message.type) {
    case 'move':
      known.clear();
      home = threadHome(module, memory, message.own);
      return;
    case 'attach':
      forget(message.target);
      known.set(message.target, { shared: message.shared });
      return;
    case 'detach':
      forget(message.target);
      return;
    case 'search':
      tell({ type: 'answers', answers: message.searches.map(answer) });
  }
}

function tell(message: FromThread): void {
  port.postMessage(message);
}

port.on('message', take);
tell({ type: 'ready' });
