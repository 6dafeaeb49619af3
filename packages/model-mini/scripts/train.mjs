/**
 * Trains the table and writes it as it is (f32) with its vocabulary; `export.mjs` makes the model of it. One core, one seed, same bytes.
 *   node scripts/train.mjs [--steps 20000] [--out .terndb/model-mini]
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildCorpus, createSampler } from './lib/corpus.mjs';
import { developmentScore } from './lib/development.mjs';
import { readGcide } from './lib/gcide.mjs';
import { createKernel } from './lib/kernel.mjs';
import { createRandom } from './lib/random.mjs';
import { readExceptions, readWordNet } from './lib/read-wordnet.mjs';
import { startVectors } from './lib/start-vectors.mjs';
import { createTrainer } from './lib/trainer.mjs';

/** Only looked at in the development score, where it is installed. */
const GCIDE = '/usr/share/dictd';
const here = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    wordnet: { type: 'string', default: '/usr/share/wordnet' },
    out: { type: 'string', default: join(here, '..', '..', '.terndb', 'model-mini') },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '20000' },
    batch: { type: 'string', default: '1024' },
    rate: { type: 'string', default: '0.004' },
    scale: { type: 'string', default: '25' },
    run: { type: 'string', default: '2' },
    dim: { type: 'string', default: '256' },
    vocabulary: { type: 'string', default: '28500' },
    report: { type: 'string', default: '1000' },
  },
});
const number = (name) => Number(values[name]);
const [steps, dim, reportEvery] = [number('steps'), number('dim'), number('report')];
const log = (line) => console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${line}`);
const started = performance.now();

const gcide = existsSync(GCIDE) ? readGcide(GCIDE) : undefined;
const random = createRandom(number('seed'));
const synsets = readWordNet(values.wordnet);
const exceptions = readExceptions(values.wordnet);
const corpus = buildCorpus({ synsets, exceptions, vocabularySize: number('vocabulary') });
log(`${synsets.length} synsets, ${corpus.entries.length} trained on, ${corpus.pieces.length} pieces`);
const table = startVectors(corpus, dim, random);
log('start vectors');
const kernel = await createKernel(here);
const trainer = createTrainer(kernel, {
  table,
  dim,
  batch: number('batch'),
  scale: number('scale'),
  sample: createSampler(corpus, random, number('run')),
  random,
});
report(0, new Map());
let losses = new Map();
for (let step = 1; step <= steps; step++) {
  // Linear to zero: the last steps average the noise away.
  const { kind, loss } = trainer.step(number('rate') * (1 - (step - 1) / steps));
  const seen = losses.get(kind) ?? { sum: 0, count: 0 };
  losses.set(kind, { sum: seen.sum + loss, count: seen.count + 1 });
  if (step % reportEvery === 0 || step === steps) {
    report(step, losses);
    save();
    losses = new Map();
  }
}

/** Also at every report, so that a run that was stopped is not lost. */
function save() {
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, 'table.f32'), trainer.table());
  writeFileSync(join(values.out, 'pieces.json'), JSON.stringify(corpus.pieces));
}

function report(step, sums) {
  const means = [...sums].sort().map(([kind, { sum, count }]) => `${kind} ${(sum / count).toFixed(2)}`);
  log(
    `step ${step}  development ${JSON.stringify(developmentScore({ synsets, gcide, tokenize: corpus.tokenize, table: trainer.table(), dim }))}  loss ${means.join(', ')}`,
  );
}
