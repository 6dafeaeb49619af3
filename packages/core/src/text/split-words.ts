import {
  astralClass,
  bmpClasses,
  CONNECTOR,
  DENSE,
  DIGIT,
  DOUBLE_QUOTE,
  EXTEND,
  HEBREW,
  LETTER,
  MID_BOTH,
  MID_LETTER,
  MID_NUMBER,
  OTHER,
  SINGLE,
  SINGLE_QUOTE,
} from './word-breaks.ts';

/** Called with each word in order: UTF-16 offsets, `end` exclusive. */
export type WordSink = (start: number, end: number) => void;

/**
 * Words by UAX #29 (rules WB4 to WB13) that hold a letter or a number; emoji and punctuation are none. Scripts written without spaces (Han, kana,
 * Thai, Lao, Khmer, Myanmar), which the rules leave to dictionaries, give overlapping pairs of characters: 燕鸥飞 gives 燕鸥 and 鸥飞; a lone one
 * gives itself. A pair may join two such scripts. Cost: O(text).
 */
export function splitWords(text: string, sink: WordSink): void {
  const bmp = bmpClasses();
  const length = text.length;
  let at = 0;
  while (at < length) {
    const unit = text.charCodeAt(at);
    const found = (unit & 0xf800) === 0xd800 ? classAt(text, at) : bmp[unit]!;
    if (found === OTHER || (found >= MID_LETTER && found <= EXTEND)) at++;
    else if (found === DENSE) at = splitDense(text, at, sink);
    else if (found === SINGLE) {
      const end = skipExtend(text, at + widthAt(text, at));
      sink(at, end);
      at = end;
    } else at = splitWord(text, at, found, sink);
  }
}

/** The text from one blank to the next. */
export function splitBlanks(text: string, sink: WordSink): void {
  for (const match of text.matchAll(/\S+/g)) sink(match.index, match.index + match[0].length);
}

/** The platform's words, which differ from engine to engine: never for what is stored. */
export function splitByPlatform(text: string, sink: WordSink): void {
  for (const { index, segment, isWordLike } of new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text))
    if (isWordLike) sink(index, index + segment.length);
}

function classAt(text: string, at: number): number {
  if (at >= text.length) return OTHER;
  const codePoint = text.codePointAt(at)!;
  return codePoint < 0x10000 ? bmpClasses()[codePoint]! : astralClass(codePoint);
}

function widthAt(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}

/** WB4: marks and formatting do not part what they follow. */
function skipExtend(text: string, from: number): number {
  let at = from;
  while (classAt(text, at) === EXTEND) at += widthAt(text, at);
  return at;
}

function splitWord(text: string, start: number, first: number, sink: WordSink): number {
  let previous = first;
  let hasContent = first !== CONNECTOR;
  let end = skipExtend(text, start + widthAt(text, start));
  for (;;) {
    let next = classAt(text, end);
    if (!isWordClass(next)) {
      const bridge = bridgeEnd(text, end, previous, next);
      if (bridge === end) break;
      end = bridge;
      next = classAt(text, end);
      // WB7a: a quote that ends a Hebrew word.
      if (!(previous === DIGIT ? next === DIGIT : isLetter(next))) break;
    }
    previous = next;
    hasContent ||= next !== CONNECTOR;
    end = skipExtend(text, end + widthAt(text, end));
  }
  if (hasContent) sink(start, end);
  return end;
}

function isWordClass(found: number): boolean {
  return found >= LETTER && found <= CONNECTOR;
}

function isLetter(found: number): boolean {
  return found === LETTER || found === HEBREW;
}

/** WB6, WB7, WB7a to c, WB11, WB12: where the word goes on after punctuation at `at`; `at` when it does not. */
function bridgeEnd(text: string, at: number, previous: number, next: number): number {
  if (next < MID_LETTER || next > DOUBLE_QUOTE) return at;
  const after = skipExtend(text, at + widthAt(text, at));
  const following = classAt(text, after);
  const isApostrophe = next === SINGLE_QUOTE;
  if (isLetter(previous) && (next === MID_LETTER || next === MID_BOTH || isApostrophe) && isLetter(following)) return after;
  if (previous === HEBREW && (isApostrophe || (next === DOUBLE_QUOTE && following === HEBREW))) return after;
  if (previous === DIGIT && (next === MID_NUMBER || next === MID_BOTH || isApostrophe) && following === DIGIT) return after;
  return at;
}

function splitDense(text: string, start: number, sink: WordSink): number {
  let previous = start;
  let at = skipExtend(text, start + widthAt(text, start));
  if (classAt(text, at) !== DENSE) {
    sink(start, at);
    return at;
  }
  while (classAt(text, at) === DENSE) {
    const end = skipExtend(text, at + widthAt(text, at));
    sink(previous, end);
    previous = at;
    at = end;
  }
  return at;
}
