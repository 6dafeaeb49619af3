import { DbError } from '@terndb/core';

export interface Arguments {
  readonly command: string | undefined;
  /** Without dashes; `true` when no value follows. */
  readonly flags: Readonly<Record<string, string | true>>;
}

/** `command --name value --name=value --switch`. A flag's value never begins with `--`. OPTION_INVALID for anything else, and for a flag given twice. */
export function parseArguments(argv: readonly string[]): Arguments {
  const [first, ...rest] = argv;
  const command = first === undefined || first.startsWith('-') ? undefined : first;
  const words = command === undefined ? argv : rest;
  const flags = new Map<string, string | true>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '-h') {
      flags.set('help', true);
      continue;
    }
    const match = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(word);
    if (match === null) throw invalid(word, 'a flag that begins with --');
    const name = match[1]!;
    if (flags.has(name)) throw invalid(word, 'each flag once');
    const next = words[at + 1];
    const takesNext = match[2] === undefined && next !== undefined && !next.startsWith('-');
    flags.set(name, match[2] ?? (takesNext ? next : true));
    if (takesNext) at += 1;
  }
  return { command, flags: Object.fromEntries(flags) };
}

function invalid(got: string, expected: string): DbError {
  return new DbError('OPTION_INVALID', `command line: ${expected} expected, got ${got}`, {
    details: { where: 'command line', expected, got },
  });
}
