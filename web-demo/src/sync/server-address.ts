/** What `/connect.json` says: the sync endpoint for this page, null for none. A server replaces the file that a static host serves. */
interface ConnectFile {
  readonly sync: string | null;
}

/** Known once it was found: later starts connect without asking, offline too. */
const REMEMBERED_KEY = 'tern-library:server';
const CONNECT_URL = '/connect.json';

export function rememberedServer(): string | null {
  return localStorage.getItem(REMEMBERED_KEY);
}

/**
 * Whether this page's own origin has a server to share the library by. Null: it has not, as with a static host. Rejects when that cannot be told
 * now (no network).
 */
export async function findServer(): Promise<string | null> {
  const response = await fetch(CONNECT_URL, { cache: 'no-store' });
  const sync = response.ok ? addressIn(await response.json().catch(() => null)) : null;
  if (sync === null) localStorage.removeItem(REMEMBERED_KEY);
  else localStorage.setItem(REMEMBERED_KEY, sync);
  return sync;
}

/** Some hosts answer every address with the page. */
function addressIn(answer: Partial<ConnectFile> | null): string | null {
  return typeof answer?.sync === 'string' ? answer.sync : null;
}
