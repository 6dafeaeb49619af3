import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DoorServer, startMemoryServer } from '../testing/test-server.ts';
import { MILVUS_ROUTES } from './handlers.ts';
import { DOCUMENTED } from './request-schemas.ts';

let server: DoorServer;
const ROOT = 'root:open sesame';
beforeAll(async () => {
  server = await startMemoryServer();
  await server.post('/v2/vectordb/collections/create', { collectionName: 'known', dimension: 2 }, ROOT);
});
afterAll(() => server.close());

/** A value of the kind that each name wants; unknown things, so that nothing happens. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  dbName: 'default',
  collectionName: 'known',
  schema: { fieldName: 'x', dataType: 'Int8', nullable: true },
  files: [['none.json']],
  data: [{ id: 1, vector: [1, 0] }],
  id: [1],
  filter: 'id == 1',
  search: [{ data: [[1, 0]] }],
  partitionNames: ['_default'],
  propertyKeys: ['x'],
  properties: { x: 1 },
  indexParams: [{ fieldName: 'vector' }],
  text: ['x'],
  objectType: 'Collection',
};

describe('the description of the Milvus door', () => {
  it('has every route, and no other', () => {
    expect([...DOCUMENTED.keys()].sort()).toEqual([...MILVUS_ROUTES.keys()].sort());
  });

  it('says what is required as the handlers do', async () => {
    const wrong: string[] = [];
    for (const [path, required] of DOCUMENTED) {
      for (const name of required) {
        const others = required.filter((other) => other !== name);
        const body = Object.fromEntries(others.map((other) => [other, SAMPLES[other] ?? 'none']));
        const answer = await server.post(`/v2/vectordb/${path}`, body, ROOT);
        const { code, message } = (await answer.json()) as { readonly code: number; readonly message?: string };
        if (code !== 1802 || !message!.includes(name)) wrong.push(`${path} without ${name}: ${code} ${message}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('is served as OpenAPI, with a page to browse it', async () => {
    const answer = await fetch(`${server.url}/openapi.json`);
    const { openapi, paths } = (await answer.json()) as { openapi: string; paths: Record<string, Record<string, unknown>> };
    expect(openapi).toBe('3.1.0');
    expect(paths['/v2/vectordb/entities/search']!['post']).toMatchObject({ summary: 'Nearest rows', tags: ['entities'] });
    for (const path of MILVUS_ROUTES.keys()) expect(paths).toHaveProperty([`/v2/vectordb/${path}`]);
    const page = await fetch(`${server.url}/docs/api/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});
