/**
 * Okapi BM25 (Robertson and Zaragoza 2009) with rounded corpus statistics: the number of texts is rounded up to a power of two and their mean
 * length to a quarter of one. A score then depends on its text, the query and how many texts hold its terms, and a write that has nothing to do
 * with the query moves no score, except on the rare step over a rounding limit; live searches need that.
 */
const K1 = 1.2;
const B = 0.75;
/** An occurrence of a longer word that starts with the last word of the query counts less than one of the word itself. */
export const PREFIX_WEIGHT = 0.5;

export interface CorpusStatistics {
  /** Texts, rounded up to a power of two; 0 when there is none. */
  readonly texts: number;
  /** Mean length in tokens, rounded to a quarter of a power of two. */
  readonly meanLength: number;
}

export function roundedStatistics(texts: number, tokens: number): CorpusStatistics {
  if (texts === 0 || tokens === 0) return { texts: 0, meanLength: 1 };
  return { texts: 2 ** Math.ceil(Math.log2(texts)), meanLength: 2 ** (Math.round(4 * Math.log2(tokens / texts)) / 4) };
}

export function inverseFrequency(statistics: CorpusStatistics, textsWithTerm: number): number {
  return Math.log(1 + (statistics.texts - textsWithTerm + 0.5) / (textsWithTerm + 0.5));
}

/** Contribution of one term to one text. */
export function termScore(statistics: CorpusStatistics, inverse: number, frequency: number, length: number): number {
  return (inverse * frequency * (K1 + 1)) / (frequency + K1 * (1 - B + (B * length) / statistics.meanLength));
}
