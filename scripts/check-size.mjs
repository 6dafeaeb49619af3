/**
 * What a page pays: gzip sizes of the built client. Fails above the limits that the README promises.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './lib/run.mjs';

const dist = join(root, 'packages', 'client', 'dist');
const LIMITS = [
  { what: 'main thread', files: ['index.js'], maxGzipBytes: 12_000 },
  { what: 'engine worker and kernel', files: ['worker.js', 'kernel.wasm'], maxGzipBytes: 160_000 },
  // Loaded when a database is first connected, and by later starts of one that was.
  { what: 'replication', files: ['chunks/replication.js'], maxGzipBytes: 48_000 },
  // Loaded when the first text is embedded; onnxruntime's WebAssembly and the model lie beside it as they are.
  { what: 'embed worker', files: ['embed-worker.js'], maxGzipBytes: 48_000 },
  // Loaded by databases with a collab field, in the worker, and by pages that edit one (which bring Yjs themselves).
  { what: 'collab documents', files: ['chunks/collab.js'], maxGzipBytes: 40_000 },
  { what: 'collab entry', files: ['yjs.js'], maxGzipBytes: 8_000 },
  // Loaded by the first field with `index: { type: 'IVF' }`.
  { what: 'list indexes', files: ['chunks/lists.js'], maxGzipBytes: 16_000 },
  // Loaded by the first segment with an index over scalars.
  { what: 'scalar indexes', files: ['chunks/scalar.js'], maxGzipBytes: 8_000 },
  // Loaded by the first aggregate.
  { what: 'aggregates', files: ['chunks/aggregates.js'], maxGzipBytes: 8_000 },
  // Loaded by the first `inspect({ recall })` or `inspect({ explain })`.
  { what: 'recall probe and explain', files: ['chunks/probes.js'], maxGzipBytes: 8_000 },
  // Loaded by the first schema with a stemmer that is not English.
  { what: 'stemmers', files: ['chunks/stemmers.js'], maxGzipBytes: 8_000 },
  // Loaded by the first export or import.
  { what: 'export and import', files: ['chunks/transfer.js'], maxGzipBytes: 16_000 },
  // Loaded by the embed worker where the application asked for WebGPU and the browser has it.
  { what: 'onnxruntime for WebGPU', files: ['chunks/webgpu.js'], maxGzipBytes: 44_000 },
  // Loaded by a schema that asks for it.
  { what: 'hnswlib', files: ['chunks/hnswlib.js'], maxGzipBytes: 220_000 },
];
for (const { what, files, maxGzipBytes } of LIMITS) {
  const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length, 0);
  const ok = bytes <= maxGzipBytes;
  console.log(`${ok ? 'ok' : 'TOO LARGE'}: ${what} (${files.join(', ')}) ${bytes} bytes gzip, at most ${maxGzipBytes}`);
  if (!ok) process.exitCode = 1;
}
