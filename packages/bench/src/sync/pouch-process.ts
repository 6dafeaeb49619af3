/** A PouchDB server: what CouchDB's clients speak, over databases in memory. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPouch, loadPouchServer } from './peers.ts';

// It writes its log and its settings into the working folder.
process.chdir(mkdtempSync(join(tmpdir(), 'terndb-bench-pouch-')));
const { express, door } = loadPouchServer();
const app = express();
app.use('/', door(loadPouch(), { mode: 'minimumForPouchDB', inMemoryConfig: true }));
const server = app.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${server.address().port}`));
process.on('SIGTERM', () => process.exit(0));
