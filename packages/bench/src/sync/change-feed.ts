/**
 * The change feed: how many changes a second one reader is told, all of a partition (`everything`) and the fold of what it missed (`missed`), and how
 * long after its write was sent a change arrives while 5,000 rows a second are written, in requests of 100. JSON of the client included.
 */
import { percentile, report, round, tiny } from '../lib/report.ts';
import { sleep, startTern, type TernProcess } from './server-process.ts';

const rows = tiny ? 500 : 100_000;
const rate = tiny ? 200 : 5_000;
const lagMs = tiny ? 500 : 10_000;
const BATCH = 100;
const HEADERS = { 'content-type': 'application/json', authorization: 'Bearer root:benches' };

async function upsert({ url }: TernProcess, from: number, count: number, at: number): Promise<void> {
  const data = Array.from({ length: count }, (_, index) => ({ id: from + index, vector: [1, 2], title: `title of ${from + index}`, at }));
  const body = JSON.stringify({ collectionName: 'notes', data });
  const response = await fetch(`${url}/v2/vectordb/entities/upsert`, { method: 'POST', headers: HEADERS, body });
  const answer = (await response.json()) as { readonly code: number };
  if (answer.code !== 0) throw new Error(`upsert: ${JSON.stringify(answer)}`);
}

interface Line {
  readonly type: string;
  readonly key: number;
  readonly token: string;
  readonly entity?: { readonly dynamic_?: { readonly at?: number } };
  readonly fields?: { readonly dynamic_?: { readonly at?: number } };
}

async function* linesOf({ url }: TernProcess, from: string | undefined, signal: AbortSignal): AsyncGenerator<Line, void, void> {
  const query = new URLSearchParams({ collection: 'notes', partition: '_default', ...(from === undefined ? {} : { from }) });
  const response = await fetch(`${url}/changes?${query}`, { headers: HEADERS, signal });
  if (!response.ok) throw new Error(`changes: ${response.status} ${await response.text()}`);
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body!) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line) as Line;
  }
}

/** Takes up to the first position that comes after `changes` of them. */
async function take(server: TernProcess, from: string | undefined, changes: number): Promise<{ token: string; perSecond: number }> {
  const gone = new AbortController();
  const start = performance.now();
  let count = 0;
  try {
    for await (const { type, token } of linesOf(server, from, gone.signal)) {
      if (type !== 'position' && type !== 'reset') count += 1;
      if (type === 'position' && count >= changes) return { token, perSecond: Math.round((count / (performance.now() - start)) * 1000) };
    }
  } finally {
    gone.abort();
  }
  throw new Error('changes: the feed has ended');
}

interface Lags {
  readonly seen: readonly number[];
  /** From sending a write to its answer. */
  readonly written: readonly number[];
}

async function lags(server: TernProcess, from: string): Promise<Lags> {
  const gone = new AbortController();
  const seen: number[] = [];
  const written: number[] = [];
  const reading = (async () => {
    for await (const { entity, fields } of linesOf(server, from, gone.signal)) {
      const at = (entity ?? fields)?.dynamic_?.at;
      if (at !== undefined) seen.push(performance.now() - at);
    }
  })().catch(() => {});
  const start = performance.now();
  const writes: Promise<void>[] = [];
  for (let sent = 0; performance.now() - start < lagMs; sent += BATCH) {
    await sleep(Math.max(0, start + (sent / rate) * 1000 - performance.now()));
    const sentAt = performance.now();
    writes.push(upsert(server, sent % rows, BATCH, sentAt).then(() => void written.push(performance.now() - sentAt)));
  }
  await Promise.all(writes);
  await sleep(500);
  gone.abort();
  await reading;
  return { seen, written };
}

export async function changeFeed(): Promise<void> {
  const server = await startTern();
  try {
    const create = { collectionName: 'notes', dimension: 2 };
    await fetch(`${server.url}/v2/vectordb/collections/create`, { method: 'POST', headers: HEADERS, body: JSON.stringify(create) });
    const empty = await take(server, undefined, 0);
    const fill = async (at: number): Promise<void> => {
      for (let id = 0; id < rows; id += 500) await upsert(server, id, Math.min(500, rows - id), at);
    };
    await fill(0);
    const missed = await take(server, empty.token, rows);
    const everything = await take(server, undefined, rows);
    const { seen: ms, written } = await lags(server, everything.token);
    report('sync.change-feed', {
      rows,
      missedPerSecond: missed.perSecond,
      everythingPerSecond: everything.perSecond,
      writesPerSecond: Math.round((ms.length / lagMs) * 1000),
      writeP50Ms: round(percentile(written, 0.5), 1),
      writeP99Ms: round(percentile(written, 0.99), 1),
      lagP50Ms: round(percentile(ms, 0.5), 1),
      lagP99Ms: round(percentile(ms, 0.99), 1),
    });
  } finally {
    await server.stop();
  }
}
