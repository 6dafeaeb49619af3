import { createDemoServer } from './demo-server.ts';
import { listenOnFreePort } from './listen.ts';

export interface ServeOptions {
  /** Folder of the built demo. */
  readonly root: string;
  /** Default 5173; 0 for any free one. When taken, the next free one. */
  readonly port?: number;
  /** Default 127.0.0.1: nobody else on the network is served unless asked for. */
  readonly host?: string;
}

export interface Serving {
  readonly url: string;
  /** Ends open connections and stops listening. */
  close(): Promise<void>;
}

const DEFAULT_PORT = 5173;

export async function serveDemo({ root, port = DEFAULT_PORT, host = '127.0.0.1' }: ServeOptions): Promise<Serving> {
  const { server, url } = await listenOnFreePort(() => createDemoServer(root), { port, host });
  return { url, close: () => server.close() };
}
