import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

export interface StaticServer {
  readonly url: string;
  close(): void;
}

/** Serves folders by URL prefix on a free port of the loopback. */
export async function serveFolders(
  folders: Readonly<Record<string, string>>,
  pages: Readonly<Record<string, string>>,
): Promise<StaticServer> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/'));
    const page = pages[path];
    if (page !== undefined) {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
      return;
    }
    const prefix = Object.keys(folders).find((candidate) => path.startsWith(`${candidate}/`));
    if (prefix === undefined || path.includes('..')) {
      response.writeHead(404).end();
      return;
    }
    readFile(join(folders[prefix] ?? '', path.slice(prefix.length))).then(
      (bytes) => response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream').end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
