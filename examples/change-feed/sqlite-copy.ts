import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Entity, FeedLine, Key } from './change-feed.ts';

/** Lines of one transaction at most: a fold may be large, and others want to write, too. */
const MAX_LINES = 1_000;

/**
 * A partition as a table of SQLite, always at one position of the log or on its way to the next one. The position is written in the transaction
 * that reaches it: after a crash of either side the feed goes on from there, and what it says again is done again.
 */
export class SqliteCopy {
  readonly #db: DatabaseSync;
  readonly #put: StatementSync;
  readonly #get: StatementSync;
  readonly #delete: StatementSync;
  #lines: FeedLine[] = [];
  /** Since the reset of this run: whatever is of an older generation at the next position is not in the partition any more. */
  #isResetting = false;

  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS entities (key TEXT PRIMARY KEY, generation INTEGER NOT NULL, entity TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS feed (id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL, token TEXT);
      INSERT OR IGNORE INTO feed VALUES (1, 1, NULL);
    `);
    this.#put = this.#db.prepare(
      'INSERT INTO entities VALUES (?, (SELECT generation FROM feed), ?) ON CONFLICT (key) DO UPDATE SET generation = excluded.generation, entity = excluded.entity',
    );
    this.#get = this.#db.prepare('SELECT entity FROM entities WHERE key = ?');
    this.#delete = this.#db.prepare('DELETE FROM entities WHERE key = ?');
  }

  /** Where the feed goes on. */
  get token(): string | undefined {
    const row = this.#db.prepare('SELECT token FROM feed').get();
    return (row?.['token'] as string | null | undefined) ?? undefined;
  }

  take(line: FeedLine): void {
    this.#lines.push(line);
    if (line.type === 'position' || this.#lines.length >= MAX_LINES) this.#commit();
  }

  /** Lines that wait for a position are said again by the next connection. */
  forget(): void {
    this.#lines = [];
    this.#isResetting = false;
  }

  entities(): Map<string, Entity> {
    const rows = this.#db.prepare('SELECT key, entity FROM entities ORDER BY key').all();
    return new Map(rows.map(({ key, entity }) => [key as string, JSON.parse(entity as string) as Entity]));
  }

  close(): void {
    this.#db.close();
  }

  #commit(): void {
    const lines = this.#lines;
    this.#lines = [];
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      for (const line of lines) this.#apply(line);
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #apply(line: FeedLine): void {
    switch (line.type) {
      case 'reset':
        // What is there stays readable until all of the new has come.
        this.#isResetting = true;
        this.#db.exec('UPDATE feed SET generation = generation + 1');
        return;
      case 'insert':
        this.#put.run(textOf(line.key), JSON.stringify(line.entity));
        return;
      case 'update': {
        const row = this.#get.get(textOf(line.key));
        if (row === undefined) throw new Error(`update of ${textOf(line.key)}: an entity that the copy has expected`);
        const entity = JSON.parse(row['entity'] as string) as Entity;
        this.#put.run(textOf(line.key), JSON.stringify({ ...entity, ...line.fields }));
        return;
      }
      case 'delete':
        this.#delete.run(textOf(line.key));
        return;
      case 'position':
        if (this.#isResetting) this.#db.exec('DELETE FROM entities WHERE generation < (SELECT generation FROM feed)');
        this.#isResetting = false;
        this.#db.prepare('UPDATE feed SET token = ?').run(line.token);
        return;
    }
  }
}

/** One text per key: a number and a text with its digits are two keys, but a collection has one kind of them. */
export const textOf = (key: Key): string => (typeof key === 'object' ? key.$int64 : String(key));
