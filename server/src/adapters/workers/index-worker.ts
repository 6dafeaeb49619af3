/** Where a thread that builds index files begins: it gives way before it loads anything, which takes longer than many a build. */
import { getPriority, setPriority } from 'node:os';

/** While everything is busy a quarter of a processor, so that writes and reads hardly wait for a graph; else all of one. */
const NICE = 5;

function giveWay(): void {
  // There it is a thread's own; elsewhere it would be the whole process's.
  if (process.platform !== 'linux') return;
  try {
    setPriority(Math.max(NICE, getPriority()));
  } catch {
    // Where a sandbox forbids it, graphs are built all the same.
  }
}

giveWay();
await import('./build-indexes.ts');
