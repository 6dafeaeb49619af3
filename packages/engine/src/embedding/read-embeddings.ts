import { MAX_DIM } from '@terndb/core';
import { invalidOption, isRecord } from '../read/request.ts';
import type { QueryEmbedding } from './types.ts';

/** Fields times models: while one model replaces another there are two. */
const MAX_EMBEDDINGS = 32;

/** The vectors of a search's text: they may come over the network, from a device that has the models. QUERY_INVALID. */
export function readEmbeddings(collection: string, given: unknown): readonly QueryEmbedding[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given) || given.length > MAX_EMBEDDINGS)
    throw invalidOption(collection, 'embedded', `at most ${MAX_EMBEDDINGS} vectors of the text`, given);
  return given.map((one: unknown) => {
    if (!isRecord(one)) throw invalidOption(collection, 'embedded', '{ field, model, vector, withGiven }', one);
    const { field, model, vector, withGiven } = one;
    if (typeof field !== 'string' || typeof model !== 'string')
      throw invalidOption(collection, 'embedded', 'the names of a field and of a model', `${typeof field} and ${typeof model}`);
    if (!(vector instanceof Float32Array) || vector.length === 0 || vector.length > MAX_DIM || !vector.every(Number.isFinite))
      throw invalidOption(collection, 'embedded.vector', `1 to ${MAX_DIM} finite float32 numbers`, vector);
    return { field, model, vector, withGiven: withGiven === true };
  });
}
