/**
 * From a keystroke on one client to the same letter in another's document: one letter after the other, each typed when the one before was seen, with
 * both clients in one process and so on one clock. Contenders take turns, round by round, against servers of their own. BENCH_PAUSE_MS: between two keys; BENCH_KEYS: in a round.
 */
import { installPeers } from '../kernel/peer-package.ts';
import { percentile, report, round, tiny } from '../lib/report.ts';
import { sleep } from '../sync/server-process.ts';
import { type Contender, hocuspocus, type OpenText, tern, ternByLog, yWebsocket } from './contenders.ts';

const keys = Number(process.env['BENCH_KEYS'] ?? (tiny ? 5 : 200));
/** Between two keys: faster than anybody types, and the next key does not meet the work of the one before. */
const pauseMs = Number(process.env['BENCH_PAUSE_MS'] ?? 0);
const rounds = tiny ? 1 : 3;

/** Milliseconds until `reader` has as many letters as `writer`. */
function typed(writer: OpenText, reader: OpenText, letter: string): Promise<number> {
  const length = reader.text.length + letter.length;
  return new Promise((resolve) => {
    const start = performance.now();
    const look = (): void => {
      if (reader.text.length < length) return;
      reader.doc.off('update', look);
      resolve(performance.now() - start);
    };
    reader.doc.on('update', look);
    writer.text.insert(writer.text.length, letter);
  });
}

export async function keystrokes(): Promise<void> {
  const refused = tiny ? 'not with tiny inputs' : installPeers();
  const contenders: readonly Contender[] = refused === undefined ? [tern, ternByLog, yWebsocket, hocuspocus] : [tern, ternByLog];
  const delays = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let turn = 0; turn < rounds; turn++) {
    for (const contender of contenders) {
      const server = await contender.start();
      try {
        const writer = await contender.open(server, `keys-${turn}`, 'first');
        const reader = await contender.open(server, `keys-${turn}`, 'second');
        for (let key = 0; key < keys; key++) {
          const ms = await typed(writer, reader, 'abcdefghij'[key % 10]!);
          if (pauseMs > 0) await sleep(pauseMs);
          if (key >= keys / 10) delays.get(contender.name)!.push(ms);
        }
        if (reader.text.toString() !== writer.text.toString()) throw new Error(`${contender.name}: one text expected`);
        await writer.close();
        await reader.close();
      } finally {
        await server.stop();
      }
    }
  }
  for (const [contender, ms] of delays) {
    report('together.keystroke', {
      contender,
      keys: ms.length,
      p50Ms: round(percentile(ms, 0.5), 2),
      p99Ms: round(percentile(ms, 0.99), 1),
      ...(refused === undefined ? {} : { peers: refused }),
    });
  }
}
