/**
 * Passages per second on one core: the model that ships with Tern on onnxruntime's WebAssembly, one thread, in Node. Short passages (8 to 20 words) and
 * long ones (100 to 300 words), drawn from the model's own vocabulary, so that no network and no corpus is needed; tokenizing is part of the time.
 */
import { readFileSync } from 'node:fs';
import { createEmbedder } from '@terndb/embed/node';
import { MODEL_FOLDER } from '@terndb/model-mini';
import { median, report, round, tiny } from './lib/report.ts';

const seed = Number(process.env['BENCH_SEED'] ?? 1);
const rounds = tiny ? 2 : 9;
const WORKLOADS = [
  { name: 'short', passages: tiny ? 200 : 10_000, minWords: 8, maxWords: 20 },
  { name: 'long', passages: tiny ? 20 : 1_000, minWords: 100, maxWords: 300 },
];

/** mulberry32: the same passages everywhere. */
function createUniform(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function readWords(): string[] {
  const { model } = JSON.parse(readFileSync(new URL('tokenizer.json', MODEL_FOLDER), 'utf8')) as {
    model: { vocab: Record<string, number> };
  };
  return Object.keys(model.vocab).filter((piece) => /^[a-z]{3,}$/.test(piece));
}

/** Frequent pieces come first in the vocabulary: squaring the draw makes them frequent here too. */
function passagesOf(
  { passages, minWords, maxWords }: (typeof WORKLOADS)[number],
  words: readonly string[],
  uniform: () => number,
): string[] {
  return Array.from({ length: passages }, () => {
    const length = minWords + Math.floor(uniform() * (maxWords - minWords + 1));
    return Array.from({ length }, () => words[Math.floor(uniform() ** 2 * words.length)]).join(' ');
  });
}

const words = readWords();
const uniform = createUniform(seed);
const started = performance.now();
const embedder = await createEmbedder();
const loadMs = performance.now() - started;
for (const workload of WORKLOADS) {
  const texts = passagesOf(workload, words, uniform);
  await embedder.embed(texts.slice(0, 100));
  const rates: number[] = [];
  let checksum = 0;
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    const vectors = await embedder.embed(texts);
    rates.push((texts.length * 1000) / (performance.now() - start));
    checksum = vectors.reduce((sum, vector) => sum + vector[0]!, 0);
  }
  report('embed', {
    model: embedder.id,
    dim: embedder.dim,
    workload: workload.name,
    passages: texts.length,
    words: `${workload.minWords} to ${workload.maxWords}`,
    seed,
    rounds,
    threads: 1,
    loadMs: round(loadMs),
    passagesPerSecond: Math.round(median(rates)),
    checksum: round(checksum, 4),
  });
}
await embedder.close();
