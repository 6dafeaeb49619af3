/**
 * Databases and libraries that are too slow, or too different, to take turns with graphs in one thread: they have the same data and queries, one
 * after the other, after the race. LanceDB has threads of its own. What cannot be installed or fails is a row of the report.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { median, percentile, round } from '../lib/numbers.ts';
import type { Settings } from './contender.ts';
import type { DataSet } from './data.ts';
import { SHARES } from './kinds.ts';
import { LEVELS, type Truth } from './measure.ts';
import { importPeer, installPeers, peerFile, whyNot } from './peer-package.ts';

interface Database {
  /** What it can be searched with: candidates of its graph; one where there is nothing to choose. */
  readonly efs: readonly number[];
  build(): Promise<void>;
  search(query: number, ef: number): Promise<ArrayLike<number>>;
  /** Index and rows. */
  bytes(): Promise<number>;
  free(): Promise<void>;
}

const EFS = [16, 32, 64, 128, 256, 512];
/** EdgeVec fixes it when an index is made. */
const EDGEVEC_EF = 128;
/** Rows of one message to PGlite: their text must fit into its memory. */
const COPY_ROWS = 5_000;
/** What LanceDB scores again exactly, times k; it wants no less of `ef`. */
const REFINE = 5;

const rowOf = ({ stored, dim }: DataSet, row: number): Float32Array => stored.subarray(row * dim, (row + 1) * dim);
const bytesOf = (vector: Float32Array): Uint8Array => new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);

/** Exact: it scans. Distances order unit vectors as inner products do. */
async function openSqliteVec(data: DataSet, { k }: Settings): Promise<Database> {
  const { getLoadablePath } = (await importPeer('sqlite-vec')) as { getLoadablePath(): string };
  const database = new DatabaseSync(':memory:', { allowExtension: true });
  database.loadExtension(getLoadablePath());
  database.exec(`create virtual table v using vec0(vector float[${data.dim}])`);
  const find = database.prepare('select rowid from v where vector match ? and k = ?');
  return {
    efs: [0],
    async build() {
      const insert = database.prepare('insert into v(rowid, vector) values (?, ?)');
      database.exec('begin');
      for (let row = 0; row < data.rows; row++) insert.run(BigInt(row), bytesOf(rowOf(data, row)));
      database.exec('commit');
    },
    search: async (query) => find.all(bytesOf(data.queries[query]!), k).map((found) => Number(found['rowid'])),
    bytes: async () =>
      Number(database.prepare('select page_count * page_size as bytes from pragma_page_count, pragma_page_size').get()!['bytes']),
    free: async () => database.close(),
  };
}

interface Pglite {
  exec(sql: string): Promise<unknown>;
  query(sql: string, values: unknown[], options?: object): Promise<{ rows: Record<string, unknown>[] }>;
  close(): Promise<void>;
}

async function openPgvector(data: DataSet, { k, m, efConstruction }: Settings): Promise<Database> {
  const { PGlite } = (await importPeer('@electric-sql/pglite')) as { PGlite: new (options: object) => Pglite };
  const { vector } = await importPeer('@electric-sql/pglite-pgvector');
  const database = new PGlite({ extensions: { vector } });
  await database.exec(`create extension vector; create table v(id int, vector vector(${data.dim}))`);
  const literal = (row: Float32Array): string => `[${row.join(',')}]`;
  let set = 0;
  return {
    efs: EFS,
    async build() {
      for (let from = 0; from < data.rows; from += COPY_ROWS) {
        const lines = Array.from(
          { length: Math.min(COPY_ROWS, data.rows - from) },
          (_, at) => `${from + at}\t${literal(rowOf(data, from + at))}\n`,
        );
        await database.query(`copy v from '/dev/blob'`, [], { blob: new Blob(lines) });
      }
      await database.exec(`set maintenance_work_mem = '1GB'`);
      await database.exec(`create index on v using hnsw (vector vector_ip_ops) with (m = ${m}, ef_construction = ${efConstruction})`);
    },
    async search(query, ef) {
      if (ef !== set) await database.exec(`set hnsw.ef_search = ${ef}`);
      set = ef;
      const { rows } = await database.query(`select id from v order by vector <#> $1 limit ${k}`, [literal(data.queries[query]!)]);
      return rows.map(({ id }) => Number(id));
    },
    async bytes() {
      const { rows } = await database.query(`select pg_total_relation_size('v') as bytes`, []);
      return Number(rows[0]!['bytes']);
    },
    free: () => database.close(),
  };
}

/** IVF with one list, a graph over int8 codes in it, and exact scores for the best: what is nearest to ours. */
async function openLance(data: DataSet, { k, m, efConstruction }: Settings): Promise<Database> {
  process.env['RUST_LOG'] ??= 'error';
  const lance = await importPeer('@lancedb/lancedb');
  const folder = mkdtempSync(join(tmpdir(), 'tern-bench-'));
  const connection = await lance.connect(folder);
  let table: any;
  return {
    efs: EFS.filter((ef) => ef >= k * REFINE),
    async build() {
      const rows = Array.from({ length: data.rows }, (_, id) => ({ id, vector: Array.from(rowOf(data, id)) }));
      table = await connection.createTable('v', rows);
      await table.createIndex('vector', { config: lance.Index.hnswSq({ distanceType: 'dot', numPartitions: 1, m, efConstruction }) });
    },
    async search(query, ef) {
      const asked = table.search(Array.from(data.queries[query]!)).distanceType('dot').ef(ef).refineFactor(REFINE);
      return (await asked.select(['id', '_distance']).limit(k).toArrow()).getChild('id').toArray();
    },
    bytes: async () => folderBytes(folder),
    async free() {
      table?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function folderBytes(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

/** A WebAssembly library for browsers. Its numbers begin with 1; of its metrics, L2 orders unit vectors as their product does. */
async function openEdgevec(data: DataSet, { k, m, efConstruction }: Settings): Promise<Database> {
  const edgevec = await importPeer('edgevec');
  edgevec.initSync({ module: readFileSync(peerFile('edgevec/edgevec_bg.wasm')) });
  const config = Object.assign(new edgevec.EdgeVecConfig(data.dim), { metric: 'l2', m, m0: 2 * m });
  Object.assign(config, { ef_construction: efConstruction, ef_search: EDGEVEC_EF });
  const index = new edgevec.EdgeVec(config);
  return {
    efs: [EDGEVEC_EF],
    async build() {
      for (let row = 0; row < data.rows; row++) index.insert(rowOf(data, row).slice());
    },
    search: async (query) => index.search(data.queries[query]!, k).map(({ id }: { id: number }) => id - 1),
    bytes: async () => index.memoryUsage(),
    free: async () => index.free(),
  };
}

const OPENERS: Readonly<Record<string, (data: DataSet, settings: Settings) => Promise<Database>>> = {
  'EdgeVec f32': openEdgevec,
  'sqlite-vec (exact)': openSqliteVec,
  'PGlite + pgvector': openPgvector,
  'LanceDB HNSW-SQ': openLance,
};

/** A row for each, as those of the race. `mostRows`: larger data sets are left out, and the row says so. */
export async function* measureDatabases(
  data: DataSet,
  settings: Settings,
  truth: Truth,
  mostRows: number,
): AsyncGenerator<Readonly<Record<string, unknown>> & { readonly name: string }> {
  const refused = data.rows > mostRows ? `only up to ${mostRows.toLocaleString('en')} rows (BENCH_DATABASE_ROWS)` : installPeers();
  for (const [name, open] of Object.entries(OPENERS)) {
    try {
      if (refused !== undefined) throw new Error(refused);
      const database = await open(data, settings);
      try {
        yield { name, ...(await measure(database, data, truth)) };
      } finally {
        await database.free();
      }
    } catch (error) {
      yield { name, missing: whyNot(error) };
    }
  }
}

async function measure(database: Database, data: DataSet, truth: Truth): Promise<Record<string, unknown>> {
  const begun = performance.now();
  await database.build();
  const buildSeconds = round((performance.now() - begun) / 1000, 2);
  const points: { ef: number; recall: number; qps: number; p50: number; p99: number }[] = [];
  for (const ef of database.efs) {
    await database.search(0, ef);
    const taken: number[] = [];
    let [found, wanted] = [0, 0];
    for (const [query, best] of truth.entries()) {
      const asked = performance.now();
      const hits = await database.search(query, ef);
      taken.push(performance.now() - asked);
      wanted += best.size;
      for (const offset of Array.from(hits)) if (best.has(offset)) found++;
    }
    const recall = round(found / wanted, 4);
    const [p50, p99] = [round(median(taken) * 1000, 1), round(percentile(taken, 0.99) * 1000, 1)];
    points.push({ ef, recall, qps: Math.round(1e6 / p50), p50, p99 });
    if (recall >= LEVELS.at(-1)!) break;
  }
  const search = LEVELS.map((level) => ({ level, ...(points.find(({ recall }) => recall >= level) ?? { reached: false }) }));
  const curve = points.map(({ ef, recall, qps }) => ({ ef, recall, qps }));
  const filtered = SHARES.map((share) => ({ share, search: [], left: 'not measured' }));
  const bytesPerVector = Math.round((await database.bytes()) / data.rows);
  return { buildSeconds, search, curve, filtered, bytesPerVector, rerankBytesPerVector: 0 };
}
