import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** As OTLP has it in JSON. */
export interface Received {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

/** Takes OTLP over HTTP, as a collector does. */
export class Collector {
  readonly bodies: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Collector> {
    const server = createServer();
    const collector = new Collector(server);
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        collector.bodies.push(Buffer.concat(parts).toString());
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  get spans(): readonly Received[] {
    type Body = { readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Received[] }[] }[] };
    return this.bodies.flatMap((body) =>
      (JSON.parse(body) as Body).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    );
  }

  /** Names from the root to a span. */
  pathOf(span: Received): string {
    const parent = this.spans.find(({ spanId, traceId }) => traceId === span.traceId && spanId === span.parentSpanId);
    return parent === undefined ? span.name : `${this.pathOf(parent)} > ${span.name}`;
  }

  paths(): string[] {
    return [...new Set(this.spans.map((span) => this.pathOf(span)))].sort();
  }

  attributes(name: string): Record<string, unknown> {
    const found = this.spans.find((span) => span.name === name)!;
    return Object.fromEntries(found.attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
  }

  close(): Promise<unknown> {
    return new Promise((resolve) => this.#server.close(resolve));
  }
}
