/**
 * A client of Tern's change feed (docs/change-feed.md), in one file without dependencies: copy it.
 */

/** As JSON gives it; what JSON has no word for is an object with one key: `{"$date": text}`, `{"$int64": text}`, `{"$float32": base64}`, `{"$bytes": base64}`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type Key = string | number | { readonly $int64: string };
export type Entity = Readonly<Record<string, Json>>;

export type FeedLine =
  /** What the reader has is not needed any more once the next position has come: all entities follow. */
  | { readonly type: 'reset'; readonly reason: string }
  | { readonly type: 'insert'; readonly key: Key; readonly entity: Entity }
  | { readonly type: 'update'; readonly key: Key; readonly fields: Entity }
  | { readonly type: 'delete'; readonly key: Key }
  /** Everything up to here has been said. To be kept together with what was done: it is where the feed goes on. */
  | { readonly type: 'position'; readonly token: string };

export interface FeedOptions {
  /** Of the server, without a path. */
  readonly url: string;
  readonly collection: string;
  readonly partition: string;
  readonly database?: string;
  /** Only these fields beside the key. Left out: all. */
  readonly select?: readonly string[];
  /** Asked for at each connection; undefined where the server needs none. */
  readonly getToken?: () => string | undefined | Promise<string | undefined>;
  /** The last token that was kept; asked for at each connection. */
  readonly from: () => string | undefined;
  readonly signal?: AbortSignal;
}

export class FeedError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The server says something every 5 s. After this long the connection is dead. */
const SILENCE_MS = 20_000;
const MIN_RETRY_MS = 200;
const MAX_RETRY_MS = 10_000;
/** Asking again would not help. */
const FINAL_CODES = new Set(['FORBIDDEN', 'COLLECTION_UNKNOWN', 'PARTITION_UNKNOWN', 'FIELD_UNKNOWN', 'TOKEN_INVALID', 'REQUEST_INVALID']);

/**
 * The lines of the feed for ever, over any number of connections; each connection goes on from what `from` gives then. What was taken since the
 * last position comes again after a connection was lost: it is to be undone, or done in a way that may be repeated.
 * @throws FeedError with a code that asking again would not help with; the signal's reason.
 */
export async function* followChanges(options: FeedOptions): AsyncGenerator<FeedLine, void, void> {
  let failures = 0;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      for await (const line of connect(options)) {
        failures = 0;
        yield line;
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof FeedError && FINAL_CODES.has(error.code)) throw error;
    }
    failures += 1;
    await sleep(Math.random() * Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** failures), options.signal);
  }
}

async function* connect(options: FeedOptions): AsyncGenerator<FeedLine, void, void> {
  const { url, collection, partition, database, select, getToken, from, signal } = options;
  const query = new URLSearchParams({ collection, partition });
  const token = from();
  if (token !== undefined) query.set('from', token);
  if (database !== undefined) query.set('database', database);
  if (select !== undefined) query.set('select', select.join(','));
  const credential = await getToken?.();
  const silent = new AbortController();
  const signals = signal === undefined ? [silent.signal] : [silent.signal, signal];
  let timer = setTimeout(() => silent.abort(), SILENCE_MS);
  try {
    const response = await fetch(`${url}/changes?${query}`, {
      headers: credential === undefined ? {} : { authorization: `Bearer ${credential}` },
      signal: AbortSignal.any(signals),
    });
    if (!response.ok || response.body === null) throw await refusal(response);
    for await (const line of linesOf(response.body)) {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENCE_MS);
      const parsed = JSON.parse(line) as FeedLine | { readonly type: 'end'; readonly code: string; readonly message: string };
      if (parsed.type === 'end') throw new FeedError(parsed.code, parsed.message);
      yield parsed;
    }
  } finally {
    clearTimeout(timer);
    // Also when the caller has had enough: the connection is closed with the stream.
    silent.abort();
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

async function refusal(response: Response): Promise<FeedError> {
  const text = await response.text();
  try {
    const { code, message } = JSON.parse(text) as { readonly code: string; readonly message: string };
    return new FeedError(code, message);
  } catch {
    return new FeedError('UNKNOWN', `${response.status} ${text.slice(0, 200)}`);
  }
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
