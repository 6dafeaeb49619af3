import { type MetaEntry, type MetaStore, utf8Length } from '@terndb/core';
import { decodeRecord, encodeRecord } from '@terndb/engine/parts';

/** JSON of one page: a value of the meta store has at most 64 KiB. */
const PAGE_BYTES = 48 * 1024;
/** Some 20,000 names. Of more the period begins anew with a restart. */
const MAX_PAGES = 64;
const PREFIX = 'garbage/';
/** Quotes, colon, comma and a time around a name. */
const ENTRY_BYTES = 24;

interface Page {
  readonly revision: number;
  readonly text: string;
}

/**
 * Since when objects have been without a manifest that names them, kept over restarts: `garbage/<page>` = { seen: { name: ms } }. A record that cannot be
 * read, or written, only makes an object live longer.
 */
export class FirstSeen {
  readonly #meta: MetaStore;
  #times: ReadonlyMap<string, number>;
  #pages: Page[];

  private constructor(meta: MetaStore, times: ReadonlyMap<string, number>, pages: Page[]) {
    this.#meta = meta;
    this.#times = times;
    this.#pages = pages;
  }

  static async open(meta: MetaStore): Promise<FirstSeen> {
    const times = new Map<string, number>();
    const pages: Page[] = [];
    for (let page = 0; page < MAX_PAGES; page++) {
      const entry = await meta.get(`${PREFIX}${page}`);
      if (entry === undefined) break;
      const seen = seenOf(entry);
      pages.push({ revision: entry.revision, text: JSON.stringify(seen) });
      for (const [name, ms] of Object.entries(seen)) if (typeof ms === 'number') times.set(name, ms);
    }
    return new FirstSeen(meta, times, pages);
  }

  get(name: string): number | undefined {
    return this.#times.get(name);
  }

  /** These and no others from now on. Writes the pages that are others than before. */
  async replace(times: ReadonlyMap<string, number>): Promise<void> {
    this.#times = times;
    const pages = pagesOf(times);
    for (let page = 0; page < Math.max(pages.length, this.#pages.length); page++) {
      const before = this.#pages[page];
      const seen = pages[page] ?? {};
      const text = JSON.stringify(seen);
      if (before?.text === text) continue;
      const revision = await this.#meta.compareAndSet(`${PREFIX}${page}`, before?.revision ?? 0, encodeRecord({ seen }));
      // Another node has taken the storage over: it keeps its own times.
      if (revision === undefined) return;
      this.#pages[page] = { revision, text };
    }
  }
}

function seenOf(entry: MetaEntry): object {
  try {
    const { seen } = decodeRecord(entry);
    return typeof seen === 'object' && seen !== null ? seen : {};
  } catch {
    return {};
  }
}

/** In order of name, so that what stays stays on its page as far as may be. */
function pagesOf(times: ReadonlyMap<string, number>): Record<string, number>[] {
  const pages: Record<string, number>[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const [name, ms] of times) {
    const size = utf8Length(name) + ENTRY_BYTES;
    if (bytes + size > PAGE_BYTES) {
      if (pages.length === MAX_PAGES) break;
      pages.push({});
      bytes = 0;
    }
    pages.at(-1)![name] = ms;
    bytes += size;
  }
  return pages;
}
