import { startTern } from '../sync/server-process.ts';
import { BUCKETS, type ServerContender } from './contender.ts';

const COLLECTION = 'rows';
const headers = { 'content-type': 'application/json', authorization: 'Bearer root:benches' };

/** `terndb serve` through Milvus' door, on LMDB and a folder: rows are durable when they are answered. */
export async function openTern(dim: number): Promise<ServerContender> {
  const server = await startTern();
  const call = async (path: string, body: object): Promise<void> => {
    const response = await fetch(`${server.url}/v2/vectordb/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    const { code, message } = (await response.json()) as { readonly code: number; readonly message?: string };
    if (code !== 0) throw new Error(`${path}: ${code} ${message}`);
  };
  const field = (fieldName: string, dataType: string, more: object = {}): object => ({ fieldName, dataType, ...more });
  await call('collections/create', {
    collectionName: COLLECTION,
    schema: {
      fields: [
        field('id', 'Int64', { isPrimary: true }),
        field('bucket', 'Int32'),
        field('vector', 'FloatVector', { elementTypeParams: { dim } }),
      ],
    },
    indexParams: [{ fieldName: 'vector', metricType: 'IP', indexType: 'AUTOINDEX' }],
  });
  return {
    name: 'tern',
    pid: server.pid,
    url: server.url,
    headers,
    efs: [16, 32, 64, 128, 256, 512],
    insert: (from, rows) => {
      const data = rows.map((vector, index) => ({ id: from + index, bucket: (from + index) % BUCKETS, vector }));
      return call('entities/insert', { collectionName: COLLECTION, data });
    },
    async index() {
      await call('collections/flush', { collectionName: COLLECTION });
      await call('collections/compact', { collectionName: COLLECTION });
    },
    request: (vector, { k, ef, bucket }) => ({
      path: '/v2/vectordb/entities/search',
      body: JSON.stringify({
        collectionName: COLLECTION,
        data: [vector],
        limit: k,
        searchParams: { params: { ef } },
        ...(bucket === undefined ? {} : { filter: `bucket == ${bucket}` }),
      }),
    }),
    ids(answer) {
      const { code, message, data } = JSON.parse(answer) as { code: number; message?: string; data: readonly { readonly id: number }[] };
      if (code !== 0) throw new Error(`search: ${code} ${message}`);
      return data.map(({ id }) => id);
    },
    stop: () => server.stop(),
  };
}
