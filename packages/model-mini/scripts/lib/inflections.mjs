/** Pairs of an inflected word and its base, by WordNet's own rules of detachment (morphy(7WN)) and lists of exceptions, among the words met. */
const SUFFIXES = [
  ['s', ''],
  ['ses', 's'],
  ['xes', 'x'],
  ['zes', 'z'],
  ['ches', 'ch'],
  ['shes', 'sh'],
  ['men', 'man'],
  ['ies', 'y'],
  ['es', 'e'],
  ['es', ''],
  ['ed', 'e'],
  ['ed', ''],
  ['ing', 'e'],
  ['ing', ''],
  ['er', ''],
  ['est', ''],
  ['ly', ''],
];
const MIN_BASE = 3;
/** `running`, `run`. */
const DOUBLED = /([bdgklmnprt])\1$/;

export function inflectionsOf(words, exceptions) {
  const known = new Set(words);
  const pairs = exceptions.filter(([form, base]) => known.has(form) && known.has(base));
  for (const word of words) {
    for (const [suffix, ending] of SUFFIXES) {
      if (!word.endsWith(suffix)) continue;
      const base = word.slice(0, -suffix.length) + ending;
      const single = ending === '' && DOUBLED.test(base) ? base.slice(0, -1) : undefined;
      for (const candidate of [base, single]) if (candidate?.length >= MIN_BASE && known.has(candidate)) pairs.push([word, candidate]);
    }
  }
  return pairs;
}
