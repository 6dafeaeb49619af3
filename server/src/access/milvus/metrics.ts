import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ServerNode } from '../../node/types.ts';
import type { Accounts } from '../auth/accounts.ts';

/** Milvus' own buckets, milliseconds. */
const BUCKETS_MS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];
const NODE_ID = '1';

/** What one request was. */
export interface Observed {
  /** Milvus' name of the call: `Search`, `CreateCollection`. */
  readonly name: string;
  readonly ms: number;
  readonly status: 'success' | 'fail' | 'rejected' | 'cancel';
  /** Rows of a write, vectors of a search. */
  readonly count: number;
}

/**
 * The metrics of Milvus' proxy under their names and labels, so that its boards show this server. `db_name` and `collection_name` are there and empty:
 * who may scrape need not be who may read.
 */
export class MilvusMetrics {
  readonly #requests: Counter;
  readonly #latency: Histogram;
  readonly #queryLatency: Histogram;
  readonly #mutationLatency: Histogram;
  readonly #counts: Readonly<Record<string, Counter>>;
  readonly #slow: Counter;
  readonly #limited: Counter;

  constructor(registry: Registry, node: ServerNode, accounts: Accounts) {
    const registers = [registry];
    const where = ['node_id', 'db_name', 'collection_name'];
    const counter = (name: string, help: string, labelNames: readonly string[] = where): Counter =>
      new Counter({ name: `milvus_proxy_${name}`, help, labelNames: [...labelNames], registers });
    const histogram = (name: string, help: string, labelNames: readonly string[]): Histogram =>
      new Histogram({ name: `milvus_proxy_${name}`, help, labelNames: [...labelNames], buckets: BUCKETS_MS, registers });
    this.#requests = counter('req_count', 'Requests by function and outcome.', [...where, 'function_name', 'status']);
    this.#latency = histogram('req_latency', 'Milliseconds of requests.', ['node_id', 'function_name']);
    this.#queryLatency = histogram('sq_latency', 'Milliseconds of searches and queries.', [...where, 'query_type']);
    this.#mutationLatency = histogram('mutation_latency', 'Milliseconds of writes.', [...where, 'msg_type']);
    this.#counts = {
      Search: counter('search_vectors_count', 'Vectors searched with.'),
      Insert: counter('insert_vectors_count', 'Rows inserted.'),
      Upsert: counter('upsert_vectors_count', 'Rows upserted.'),
      Delete: counter('delete_vectors_count', 'Rows deleted.'),
    };
    this.#slow = counter('slow_query_count', 'Requests slower than log.slowMs.', [...where, 'query_type']);
    const limited = ['node_id', 'msg_type', 'status'];
    this.#limited = counter('rate_limit_req_count', 'Requests that rates and quotas are asked about: fail when they refuse.', limited);
    observeCatalog(registers, node, accounts);
  }

  observe({ name, ms, status, count }: Observed, isSlow: boolean): void {
    const where = { node_id: NODE_ID, db_name: '', collection_name: '' };
    for (const outcome of [status, 'total']) this.#requests.inc({ ...where, function_name: name, status: outcome });
    this.#latency.observe({ node_id: NODE_ID, function_name: name }, ms);
    const type = name.toLowerCase();
    if (isSlow) this.#slow.inc({ ...where, query_type: type });
    if (name === 'Search' || name === 'Query') this.#queryLatency.observe({ ...where, query_type: type }, ms);
    else if (name in this.#counts) this.#mutationLatency.observe({ ...where, msg_type: type }, ms);
    if (status === 'success') this.#counts[name]?.inc(where, count);
  }

  /** Whether rates and quotas let a request of this kind in. */
  observeLimit(kind: string, status: 'success' | 'fail'): void {
    for (const outcome of [status, 'total']) this.#limited.inc({ node_id: NODE_ID, msg_type: kind, status: outcome });
  }
}

function observeCatalog(registers: Registry[], node: ServerNode, accounts: Accounts): void {
  const { catalog } = node;
  const collections = (): number => catalog.databases().reduce((sum, database) => sum + catalog.collections(database).length, 0);
  const gauges: readonly (readonly [name: string, help: string, value: () => number])[] = [
    ['rootcoord_database_num', 'Databases.', () => catalog.databases().length],
    ['rootcoord_collection_num', 'Collections.', collections],
    ['rootcoord_partition_num', 'Partitions.', () => node.inspect().channels.length],
    ['rootcoord_entity_num', 'Live rows.', () => node.inspect().channels.reduce((sum, { entities }) => sum + entities, 0)],
    ['rootcoord_credential_num', 'Users.', () => accounts.users.length],
    ['rootcoord_num_of_roles', 'Roles.', () => accounts.roles.length],
    ['num_node', 'Servers.', () => 1],
  ];
  for (const [name, help, value] of gauges) {
    new Gauge({
      name: `milvus_${name}`,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  }
}
