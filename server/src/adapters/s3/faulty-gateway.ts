import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const KINDS = ['refused', 'lost', 'cut'] as const;
type Kind = (typeof KINDS)[number];

/**
 * For tests: passes requests on to a real gateway and spoils some. `refused`: 503 and nothing is done. `lost`: done, but the connection ends
 * before the answer. `cut`: done, but it ends in the middle of the answer.
 */
export class FaultyGateway {
  readonly byKind: Record<Kind, number> = { refused: 0, lost: 0, cut: 0 };
  readonly #server: Server;
  readonly #target: URL;
  #every = 0;
  #requests = 0;

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((incoming, outgoing) => this.#pass(incoming, outgoing));
  }

  static async start(target: string): Promise<FaultyGateway> {
    const gateway = new FaultyGateway(target);
    await new Promise<void>((resolve) => {
      gateway.#server.listen(0, '127.0.0.1', resolve);
    });
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get faults(): number {
    return KINDS.reduce((sum, kind) => sum + this.byKind[kind], 0);
  }

  /** One of so many requests is spoilt from now on, each time in another way. */
  failEvery(requests: number): void {
    this.#every = requests;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const fault = this.#every > 0 && ++this.#requests % this.#every === 0 ? KINDS[this.faults % KINDS.length] : undefined;
    if (fault !== undefined) this.byKind[fault] += 1;
    if (fault === 'refused') {
      incoming.resume().on('end', () => outgoing.writeHead(503).end());
      return;
    }
    const { hostname, port } = this.#target;
    const { method, url, headers } = incoming;
    // The host stays the one that was signed.
    const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
      if (fault === 'lost') {
        answer.resume().on('end', () => incoming.socket.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode!, answer.headers);
      if (fault === undefined) {
        answer.pipe(outgoing);
        return;
      }
      outgoing.flushHeaders();
      answer.once('data', (chunk: Buffer) => outgoing.write(chunk.subarray(0, chunk.length >> 1)));
      answer.resume().on('end', () => incoming.socket.destroy());
    });
    onward.on('error', () => incoming.socket.destroy());
    incoming.pipe(onward);
  }
}
