import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { HealthStatus } from '../node/health/finding.ts';
import type { ServerNode } from '../node/types.ts';
import type { HealthBoard } from '../observe/health-board.ts';

const HEALTH: Readonly<Record<HealthStatus, number>> = { ok: 1, degraded: 0.5, failing: 0 };

/** Prometheus metrics of one server. No name of a collection, a partition or a user is a label: who may scrape need not be who may read. */
export class AccessMetrics {
  readonly registry: Registry = new Registry();
  readonly requests: Histogram<'method' | 'route' | 'status'>;
  readonly bytes: Counter<'direction' | 'door'>;
  readonly messages: Counter<'direction'>;
  readonly sockets: Gauge;
  readonly closes: Counter<'reason'>;
  readonly changeReaders: Gauge;
  readonly changes: Counter;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.requests = new Histogram({
      name: 'terndb_http_request_seconds',
      help: 'Duration of HTTP requests.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
      registers,
    });
    this.bytes = new Counter({
      name: 'terndb_bytes_total',
      help: 'Bytes in and out, by door: sync (sockets), objects (downloads), changes (the feed).',
      labelNames: ['direction', 'door'],
      registers,
    });
    this.messages = new Counter({
      name: 'terndb_sync_messages_total',
      help: 'Messages of sync sockets.',
      labelNames: ['direction'],
      registers,
    });
    this.sockets = new Gauge({ name: 'terndb_sync_sockets', help: 'Open sync sockets.', registers });
    this.closes = new Counter({
      name: 'terndb_sync_closes_total',
      help: 'Sockets closed by the server, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.changeReaders = new Gauge({ name: 'terndb_change_readers', help: 'Readers of the change feed.', registers });
    this.changes = new Counter({ name: 'terndb_changes_total', help: 'Changes told to readers of the change feed.', registers });
  }

  /** Looked at when it is scraped. */
  observeHealth(board: HealthBoard): void {
    new Gauge({
      name: 'terndb_component_health',
      help: 'How each part of the server is: 1 ok, 0.5 degraded, 0 failing.',
      labelNames: ['component'],
      registers: [this.registry],
      async collect() {
        const { components } = await board.read();
        for (const { component, status } of components) this.set({ component }, HEALTH[status]);
      },
    });
  }

  /** What the node knows, read at each scrape. */
  observe(node: ServerNode): void {
    const registers = [this.registry];
    type Inspection = ReturnType<ServerNode['inspect']>;
    const sum = (of: (channel: Inspection['channels'][number]) => number) => (inspection: Inspection) =>
      inspection.channels.reduce((total, channel) => total + of(channel), 0);
    const gauges: readonly (readonly [name: string, help: string, value: (inspection: Inspection) => number])[] = [
      ['terndb_channels', 'Channels of this node.', ({ channels }) => channels.length],
      ['terndb_subscribers', 'Subscriptions of devices.', sum(({ subscribers }) => subscribers)],
      ['terndb_entities', 'Live entities.', sum(({ entities }) => entities)],
      ['terndb_growing_rows', 'Rows that are not sealed yet.', sum(({ growing }) => growing)],
      ['terndb_segments', 'Sealed segments.', sum(({ segments }) => segments)],
      ['terndb_segment_bytes', 'Bytes of sealed segments.', sum(({ bytes }) => bytes)],
      [
        'terndb_sync_unsealed_records',
        'Records of the log behind the newest manifests.',
        sum(({ position, sealedPosition }) => position - sealedPosition),
      ],
      [
        'terndb_divergences',
        'How often a replica did not have the hash of the log. Above 0 something is wrong.',
        sum(({ divergences }) => divergences),
      ],
      ['terndb_wasm_bytes', 'Memory of the kernel.', ({ wasmBytes }) => wasmBytes],
    ];
    let inspected: { readonly at: number; readonly inspection: Inspection } | undefined;
    let scrape = 0;
    // One inspection per scrape: the first gauge asks for it.
    const inspection = (): Inspection => {
      if (inspected?.at !== scrape) inspected = { at: scrape, inspection: node.inspect() };
      return inspected.inspection;
    };
    for (const [name, help, value] of gauges) {
      const isFirst = name === gauges[0]![0];
      new Gauge({
        name,
        help,
        registers,
        collect() {
          if (isFirst) scrape += 1;
          this.set(value(inspection()));
        },
      });
    }
    new Gauge({
      name: 'terndb_node_counter',
      help: 'Counters of the node: seals, merges, collected objects and others.',
      labelNames: ['name'],
      registers,
      collect() {
        for (const [name, value] of Object.entries(inspection().counters)) this.set({ name }, value);
      },
    });
  }
}
