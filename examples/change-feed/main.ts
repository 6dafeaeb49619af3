/**
 * Keeps a table of SQLite in step with a partition, until it is stopped:
 *   node main.ts http://127.0.0.1:19530 notes _default copy.sqlite
 * The access token, where the server wants one, is in TERNDB_TOKEN.
 */
import { FeedError, followChanges } from './change-feed.ts';
import { SqliteCopy } from './sqlite-copy.ts';

const [url, collection, partition, file] = process.argv.slice(2);
if (url === undefined || collection === undefined || partition === undefined || file === undefined) {
  console.error('node main.ts SERVER COLLECTION PARTITION FILE');
  process.exit(2);
}
const copy = new SqliteCopy(file);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

/** Each connection goes on from what is committed, and forgets what was not. */
function from(): string | undefined {
  copy.forget();
  return copy.token;
}

try {
  const getToken = () => process.env['TERNDB_TOKEN'];
  for await (const line of followChanges({ url, collection, partition, from, getToken, signal: stop.signal })) {
    copy.take(line);
    if (line.type === 'position') console.log(`at ${line.token}`);
  }
} catch (error) {
  if (!stop.signal.aborted) {
    console.error(error instanceof FeedError ? `${error.code}: ${error.message}` : error);
    process.exitCode = 1;
  }
} finally {
  copy.close();
}
