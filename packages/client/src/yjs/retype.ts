import type { Text } from 'yjs';

/** Makes the text this one, with one edit in the middle: what is the same before and after it stays, and with it the places of others' cursors. */
export function retype(text: Text, wanted: string): void {
  const shown = text.toString();
  if (shown === wanted) return;
  const shorter = Math.min(shown.length, wanted.length);
  let start = 0;
  while (start < shorter && shown[start] === wanted[start]) start += 1;
  // Whole characters: Yjs replaces what is cut in half.
  if (isHighSurrogate(shown, start - 1) || isHighSurrogate(wanted, start - 1)) start -= 1;
  let end = 0;
  while (end < shorter - start && shown.at(-1 - end) === wanted.at(-1 - end)) end += 1;
  if (end > 0 && (isHighSurrogate(shown, shown.length - end - 1) || isHighSurrogate(wanted, wanted.length - end - 1))) end -= 1;
  const edit = (): void => {
    text.delete(start, shown.length - end - start);
    text.insert(start, wanted.slice(start, wanted.length - end));
  };
  if (text.doc === null) edit();
  else text.doc.transact(edit);
}

function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff;
}
