/** The network as replication needs it: one socket at a time, and requests. Adapters: adapters/network.ts; tests bring their own. */
export interface SocketEvents {
  onOpen(): void;
  /** One message of the server. */
  onMessage(bytes: Uint8Array): void;
  /** Once; also after a failed opening. Not after `close`. */
  onClose(): void;
}
export interface SyncSocket {
  send(bytes: Uint8Array): void;
  close(): void;
}
export interface HttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** The answer is kept by who asks: a copy in the browser's cache would only be written in vain. */
  readonly uncached?: boolean;
}
export interface HttpAnswer {
  readonly status: number;
  bytes(): Promise<Uint8Array>;
}
export interface Network {
  openSocket(url: string, events: SocketEvents): SyncSocket;
  /** Rejects when there is no answer. */
  request(request: HttpRequest): Promise<HttpAnswer>;
}

/** The sync endpoint's two faces: `http(s)` for requests, `ws(s)` for the socket; without a slash at the end. */
export interface Endpoint {
  readonly http: string;
  readonly socket: string;
}

/** Both schemes are taken for either. Undefined when it is no address. */
export function endpointOf(url: string): Endpoint | undefined {
  if (!URL.canParse(url)) return undefined;
  const { href, protocol } = new URL(url);
  const rest = /^(?:http|ws)s?:(.*?)\/?$/.exec(href)?.[1];
  if (rest === undefined) return undefined;
  const secure = protocol === 'https:' || protocol === 'wss:' ? 's' : '';
  return { http: `http${secure}:${rest}`, socket: `ws${secure}:${rest}` };
}
