/** One word of a phrase: where it stands in the phrase, and where in the text, ascending. */
export interface PhraseTerm {
  readonly term: string;
  readonly position: number;
}

/**
 * Whether a text holds a phrase: each word somewhere, none at the place of an equal one, so that its distances from its place in the phrase
 * differ by at most `slop` from those of the others. 0: adjacent and in order; 1: one word between; 2: also two words the other way round (as
 * in Lucene). Cost: the words' occurrences times the phrase's length.
 * @param positionsOf Of a term of the phrase in the text, ascending; empty when it is not there.
 */
export function holdsPhrase(phrase: readonly PhraseTerm[], slop: number, positionsOf: (term: string) => ArrayLike<number>): boolean {
  if (phrase.length === 0) return false;
  const places = new Map<string, number[]>();
  for (const { term, position } of phrase) {
    const known = places.get(term);
    if (known === undefined) places.set(term, [position]);
    else known.push(position);
  }
  const terms = [...places].map(([term, wanted]) => ({ wanted, found: positionsOf(term) }));
  if (terms.some(({ found, wanted }) => found.length < wanted.length)) return false;
  // The smallest distance of a match is that of one of its words: each is tried.
  const tried = new Set<number>();
  // With no slop every word has the distance of every other: those of the rarest will do.
  const starts = slop === 0 ? [terms.reduce((rarest, term) => (term.found.length < rarest.found.length ? term : rarest))] : terms;
  for (const { wanted, found } of starts) {
    for (const place of slop === 0 ? wanted.slice(0, 1) : wanted) {
      for (let i = 0; i < found.length; i++) {
        const distance = found[i]! - place;
        if (tried.has(distance)) continue;
        tried.add(distance);
        if (terms.every((term) => fits(term.wanted, term.found, distance, slop))) return true;
      }
    }
  }
  return false;
}

/** Equal words take the earliest places they can: all may be as far from theirs, so the first in the phrase is the first in the text. */
function fits(wanted: readonly number[], found: ArrayLike<number>, distance: number, slop: number): boolean {
  let at = 0;
  for (const place of wanted) {
    while (at < found.length && found[at]! < place + distance) at++;
    if (at === found.length || found[at]! > place + distance + slop) return false;
    at++;
  }
  return true;
}
