/**
 * Definitions from GCIDE as Debian's `dict-gcide` installs it (dictd format: an index of headword, offset and length in base 64, beside a gzip
 * file). GCIDE is under the GPL: it is read where it is installed when the evaluation runs, and nothing of it is kept.
 * Only paragraphs marked `[1913 Webster]` count: others were taken into GCIDE from WordNet itself.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const SOURCE = '[1913 Webster]';
/** Shorter ones are references: `See Coke`. */
const MIN_WORDS = 4;

/** @returns lowercase headword → its first definition. */
export function readGcide(folder) {
  const text = gunzipSync(readFileSync(join(folder, 'gcide.dict.dz')));
  const definitions = new Map();
  for (const line of readFileSync(join(folder, 'gcide.index'), 'utf8').split('\n')) {
    const [word, offset, length] = line.split('\t');
    if (length === undefined || word.startsWith('00-database')) continue;
    const headword = word.toLowerCase();
    if (definitions.has(headword)) continue;
    const start = decode(offset);
    const found = firstDefinition(text.toString('utf8', start, start + decode(length)));
    if (found !== undefined) definitions.set(headword, found);
  }
  return definitions;
}

function decode(digits) {
  let value = 0;
  for (const digit of digits) value = value * 64 + DIGITS.indexOf(digit);
  return value;
}

function firstDefinition(entry) {
  for (const paragraph of withoutHead(entry).split(/\n\s*\n/)) {
    const text = paragraph.trim();
    if (!text.endsWith(SOURCE)) continue;
    const definition = clean(text.slice(0, -SOURCE.length));
    if (definition.split(' ').length >= MIN_WORDS && !/^(?:see|same as) /i.test(definition)) return definition;
  }
  return undefined;
}

/** The head ends with the line on which the brackets of its etymology are closed. */
function withoutHead(entry) {
  const lines = entry.split('\n');
  let open = 0;
  let end = 0;
  do {
    for (const sign of lines[end]) open += sign === '[' ? 1 : sign === ']' ? -1 : 0;
    end++;
  } while (open > 0 && end < lines.length);
  return lines.slice(end).join('\n');
}

/** Without numbers, labels, citations, and what follows `as,` (usage examples). */
function clean(text) {
  return text
    .replace(/\s+/g, ' ')
    .replace(/\[[^\]]*\]|\([A-Z][A-Za-z. &]*\.?\)/g, ' ')
    .replace(/^[\s\d.()a-z]*?(?=[A-Z])/, '')
    .replace(/--[A-Z][\w. ]*$/, '')
    .replace(/[;,] as, .*$/, '')
    .replace(/[{}]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}
