import { parseInWorker } from '../import/parse-in-worker.ts';
import type { Batch } from '../import/protocol.ts';
import type { ImportSource } from '../import/run-import.ts';
import { readSampleVectors } from './sample-vectors.ts';

const PASSAGES_URL = '/sample/wordnet-passages.jsonl';
const VECTORS_URL = '/sample/wordnet-passages.vectors.bin';
/** Where the passages say they come from; also how the app recognises them. */
export const SAMPLE_NAME = 'WordNet 3.0';
/** For the progress bar, until the download tells. */
const EXPECTED_BYTES = 1_700_000;

/** The bundled sample: the same path as a dropped file, with a vector for each passage. Loading it twice changes nothing: the keys are its own. */
export function sampleSource(): ImportSource {
  return { name: SAMPLE_NAME, bytes: EXPECTED_BYTES, batches: readSample() };
}

async function* readSample(): AsyncGenerator<Batch, void, undefined> {
  const [passages, vectorBytes] = await Promise.all([load(PASSAGES_URL), load(VECTORS_URL)]);
  const vectors = readSampleVectors(await vectorBytes.arrayBuffer());
  let row = 0;
  for await (const batch of parseInWorker(new File([await passages.blob()], `${SAMPLE_NAME}.jsonl`))) {
    if (batch.problems.length > 0) throw new Error(`the sample is damaged: line ${batch.problems[0]!.line}: ${batch.problems[0]!.reason}`);
    const withVectors = batch.passages.map((passage) => ({ ...passage, source: SAMPLE_NAME, vec: Array.from(vectors.at(row++)) }));
    yield { ...batch, passages: withVectors };
  }
}

async function load(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the sample could not be loaded: ${url} answered ${response.status}`);
  return response;
}
