/**
 * An embedded database behind the same kind of route as ours: Fastify, JSON in and out. `node peer-process.ts KIND DIM FOLDER`; prints `ready URL`.
 */
import Fastify from 'fastify';
import { importPeer } from '../kernel/peer-package.ts';
import { BUCKETS } from './contender.ts';

interface Row {
  readonly id: number;
  readonly bucket: number;
  readonly vector: readonly number[];
}
interface Search {
  readonly vector: readonly number[];
  readonly k: number;
  readonly ef: number;
  readonly bucket?: number;
}
interface Database {
  insert(rows: readonly Row[]): Promise<void>;
  index(): Promise<void>;
  search(request: Search): Promise<readonly number[]>;
}

/** As usual for these indexes, and as ours. */
const M = 16;
const EF_CONSTRUCTION = 200;
const REFINE = 5;

async function openLance(folder: string): Promise<Database> {
  process.env['RUST_LOG'] ??= 'error';
  const lance = await importPeer('@lancedb/lancedb');
  const connection = await lance.connect(folder);
  let table: any;
  return {
    async insert(rows) {
      if (table === undefined) table = await connection.createTable('rows', rows);
      else await table.add(rows);
    },
    async index() {
      const config = lance.Index.hnswSq({ distanceType: 'dot', numPartitions: 1, m: M, efConstruction: EF_CONSTRUCTION });
      await table.createIndex('vector', { config });
      await table.createIndex('bucket', { config: lance.Index.btree() });
      await table.optimize();
    },
    async search({ vector, k, ef, bucket }) {
      const asked = table
        .search([...vector])
        .distanceType('dot')
        .ef(ef)
        .refineFactor(REFINE);
      const filtered = bucket === undefined ? asked : asked.where(`bucket = ${bucket}`);
      return Array.from((await filtered.select(['id', '_distance']).limit(k).toArrow()).getChild('id').toArray(), Number);
    },
  };
}

async function openPgvector(folder: string, dim: number): Promise<Database> {
  const { PGlite } = await importPeer('@electric-sql/pglite');
  const { vector: extension } = await importPeer('@electric-sql/pglite-pgvector');
  const database = new PGlite({ dataDir: folder, extensions: { vector: extension } });
  await database.exec(`create extension vector; create table rows(id int primary key, bucket int, vector vector(${dim}))`);
  const literal = (row: readonly number[]): string => `[${row.join(',')}]`;
  let set = 0;
  return {
    async insert(rows) {
      const lines = rows.map(({ id, bucket, vector }) => `${id}\t${bucket}\t${literal(vector)}\n`);
      await database.query(`copy rows from '/dev/blob'`, [], { blob: new Blob(lines) });
    },
    async index() {
      await database.exec(`set maintenance_work_mem = '1GB'; create index on rows (bucket)`);
      await database.exec(`create index on rows using hnsw (vector vector_ip_ops) with (m = ${M}, ef_construction = ${EF_CONSTRUCTION})`);
      await database.exec('analyze rows');
    },
    async search({ vector, k, ef, bucket }) {
      if (ef !== set) await database.exec(`set hnsw.ef_search = ${ef}; set hnsw.iterative_scan = 'strict_order'`);
      set = ef;
      const where = bucket === undefined ? '' : `where bucket = ${bucket}`;
      const { rows } = await database.query(`select id from rows ${where} order by vector <#> $1 limit ${k}`, [literal(vector)]);
      return rows.map(({ id }: { readonly id: number }) => id);
    },
  };
}

const [kind, dim, folder] = process.argv.slice(2) as [string, string, string];
const database = await (kind === 'lance' ? openLance(folder) : openPgvector(folder, Number(dim)));
const app = Fastify({ bodyLimit: 256 * 1024 * 1024 });
app.post<{ Body: { readonly from: number; readonly rows: readonly (readonly number[])[] } }>(
  '/insert',
  async ({ body: { from, rows } }) => {
    await database.insert(rows.map((vector, index) => ({ id: from + index, bucket: (from + index) % BUCKETS, vector })));
    return {};
  },
);
app.post('/index', async () => {
  await database.index();
  return {};
});
app.post<{ Body: Search }>('/search', async ({ body }) => ({ ids: await database.search(body) }));
console.log(`ready ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
process.on('SIGTERM', () => process.exit(0));
