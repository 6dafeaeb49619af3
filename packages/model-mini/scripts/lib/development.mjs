/** MRR@10 on the development synsets, glosses of that split only: quick, to choose settings by. The figures of the model card are `evaluate.mjs`'s. */
import { withoutLemmas } from './corpus.mjs';
import { splitOf } from './read-wordnet.mjs';

export function developmentScore({ synsets, gcide, tokenize, table, dim }) {
  const held = synsets.filter(({ key }) => splitOf(key) === 'development');
  const embed = (text) => embedIds(tokenize(text), table, dim);
  const glosses = held.map(({ gloss }) => embed(gloss));
  const tasks = {
    lemma: ({ lemmas }) => lemmas[0],
    synonyms: ({ lemmas }) => (lemmas.length > 1 ? lemmas.slice(1).join(' ') : undefined),
    example: ({ lemmas, examples }) => (examples[0] === undefined ? undefined : withoutLemmas(examples[0], lemmas).join(' ')),
  };
  if (gcide) tasks.gcide = ({ lemmas }) => gcide.get(lemmas[0].toLowerCase());
  const scores = {};
  for (const [task, queryOf] of Object.entries(tasks)) {
    let sum = 0;
    let count = 0;
    held.forEach((synset, own) => {
      const text = queryOf(synset);
      if (text === undefined) return;
      count++;
      const query = embed(text);
      const score = dot(query, glosses[own]);
      let rank = 1;
      for (const gloss of glosses) if (dot(query, gloss) > score) rank++;
      if (rank <= 10) sum += 1 / rank;
    });
    scores[task] = Number((sum / count).toFixed(4));
  }
  return scores;
}

export function embedIds(ids, table, dim) {
  const out = new Float32Array(dim);
  for (const id of ids) for (let d = 0; d < dim; d++) out[d] += table[id * dim + d];
  let sum = 0;
  for (const value of out) sum += value * value;
  const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
  for (let d = 0; d < dim; d++) out[d] *= scale;
  return out;
}

export function dot(a, b) {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d] * b[d];
  return sum;
}
