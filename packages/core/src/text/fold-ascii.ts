/** Letters without a decomposition, in lower case. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ð: 'd',
  þ: 'th',
  đ: 'd',
  ħ: 'h',
  ı: 'i',
  ĸ: 'k',
  ł: 'l',
  ŋ: 'n',
  ŧ: 't',
  ſ: 's',
};
const UNDECOMPOSED = /[ßæœøðþđħıĸłŋŧſ]/gi;
const MARKS = /[\u0300-\u036f]/g;
const ASCII = /^[\0-\x7f]*$/;
const LATIN = /[\u00c0-\u024f\u1e00-\u1eff]/;

/** Latin letters without their marks: `é` is `e`, `ß` is `ss`. Marks of other scripts, where they make other letters, stay. */
export function foldAscii(term: string): string {
  if (ASCII.test(term) || !LATIN.test(term)) return term;
  return term
    .normalize('NFD')
    .replace(MARKS, '')
    .replace(UNDECOMPOSED, (letter) => foldLetter(letter))
    .normalize('NFC');
}

function foldLetter(letter: string): string {
  const lower = letter.toLowerCase();
  const folded = LETTERS[lower] ?? letter;
  return letter === lower ? folded : folded.toUpperCase();
}
