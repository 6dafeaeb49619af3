import { mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DoorServer, startMemoryServer } from '../access/testing/test-server.ts';
import { FileObjectStore } from '../adapters/files/file-object-store.ts';
import type { ServerNode } from '../node/types.ts';

const ROOT = 'root:open sesame';

interface Report {
  readonly status: string;
  readonly components: readonly { readonly component: string; readonly status: string; readonly reason?: string; readonly since: string }[];
}

let folder: string;
let server: DoorServer & { readonly real: ServerNode };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-health-'));
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const read = async (path: string): Promise<Response> => fetch(`${server.url}${path}`);
const report = async (): Promise<Report> => (await read('/health/components')).json() as Promise<Report>;
const find = async (component: string): Promise<Report['components'][number] | undefined> =>
  (await report()).components.find((one) => one.component === component);

async function becomes(component: string, status: string): Promise<Report['components'][number]> {
  for (let tries = 0; tries < 200; tries++) {
    const found = await find(component);
    if (found?.status === status) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${component}: ${status} expected, got ${JSON.stringify(await report())}`);
}

async function gauge(component: string): Promise<number> {
  const text = await (await read('/metrics')).text();
  return Number(new RegExp(`^terndb_component_health\\{component="${component}"\\} (\\S+)$`, 'm').exec(text)?.[1]);
}

describe('GET /health/components', () => {
  it('says of a server without trouble that each part of it is well, to anybody, and names nothing that is stored', async () => {
    server = await startMemoryServer();
    await server.post('/v2/vectordb/collections/create', { collectionName: 'sesame_notes', dimension: 2 }, ROOT);
    const answer = await read('/health/components');
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const { status, components } = (await answer.json()) as Report;
    expect([status, components.filter(({ status: of }) => of !== 'ok')]).toEqual(['ok', []]);
    expect(components.map(({ component }) => component)).toEqual(
      expect.arrayContaining(['leaders', 'log', 'meta', 'objects', 'sealing', 'indexing', 'sockets', 'tokens', 'changes', 'memory']),
    );
    for (const { since } of components) expect(Date.parse(since)).toBeLessThanOrEqual(Date.now());
    expect(JSON.stringify(components)).not.toContain('sesame');
    expect(await gauge('log')).toBe(1);
    expect(await (await read('/readyz')).json()).toEqual({ status: 'ready' });
  });

  it('tells of a store that takes nothing with a gauge below 1; the server stays ready for reads', async () => {
    const [here, away] = [join(folder, 'objects'), join(folder, 'away')];
    server = await startMemoryServer({}, { objects: await FileObjectStore.open(here) });
    await server.post('/v2/vectordb/collections/create', { collectionName: 'sesame_notes', dimension: 2 }, ROOT);
    await server.post('/v2/vectordb/entities/insert', { collectionName: 'sesame_notes', data: [{ id: 1, vector: [1, 2] }] }, ROOT);
    await rename(here, away);
    await expect(server.real.flush('default')).rejects.toThrow();
    expect((await becomes('objects', 'degraded')).reason).toContain('STORAGE_UNAVAILABLE');
    expect((await becomes('sealing', 'degraded')).reason).toContain('STORAGE_UNAVAILABLE');
    expect([await gauge('objects'), await gauge('sealing'), await gauge('log')]).toEqual([0.5, 0.5, 1]);
    const text = JSON.stringify(await report());
    for (const secret of ['sesame', folder, here]) expect(text).not.toContain(secret);
    const ready = await read('/readyz');
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: 'ready', components: { objects: 'degraded', sealing: 'degraded' } },
    ]);
    await rename(away, here);
    await becomes('objects', 'ok');
    await server.real.flush('default');
    await becomes('sealing', 'ok');
    expect((await report()).status).toBe('ok');
  }, 60_000);
});

describe('a key set', () => {
  let keyServer: Server | undefined;
  afterEach(() => keyServer?.closeAllConnections());

  it('whose server is gone fails what checks tokens, degrades it while known keys serve, and is well again by itself', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] });
    const listen = async (port: number): Promise<number> => {
      keyServer = createServer((_request, response) => response.setHeader('content-type', 'application/json').end(keys));
      await new Promise<void>((resolve) => keyServer!.listen(port, '127.0.0.1', resolve));
      return (keyServer.address() as AddressInfo).port;
    };
    const stop = async (): Promise<void> => {
      keyServer!.closeAllConnections();
      await new Promise((resolve) => keyServer!.close(resolve));
    };
    const port = await listen(0);
    await stop();
    server = await startMemoryServer({ auth: { jwksUrl: `http://127.0.0.1:${port}/keys` } });
    const token = await new SignJWT({ sub: 'ann', tern: { partitions: { '*': 'write' } } })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setExpirationTime('1h')
      .sign(privateKey);
    const ask = async (): Promise<number> => (await server.post('/sync/v1/resolve', { collections: [], partitions: [] }, token)).status;
    expect(await ask()).not.toBe(200);
    expect((await becomes('tokens', 'failing')).reason).toBe('the key set does not answer; tokens cannot be checked');
    // Who has a password is still served, here and by every other server that uses the same keys.
    expect((await read('/readyz')).status).toBe(200);
    await listen(port);
    await becomes('tokens', 'ok');
    expect(await ask()).toBe(200);
    await stop();
  }, 60_000);
});

describe('the description of the routes', () => {
  it('has every route under a heading, and the page allows itself no inline script or style', async () => {
    server = await startMemoryServer();
    const { paths, tags } = (await (await read('/openapi.json')).json()) as {
      readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly tags?: readonly string[]; readonly summary?: string }>>>>;
      readonly tags: readonly { readonly name: string }[];
    };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, of]) => ({ path, method, of })),
    );
    expect(operations.length).toBeGreaterThan(80);
    expect(
      operations.filter(({ of }) => of.tags === undefined || of.summary === undefined).map(({ path, method }) => `${method} ${path}`),
    ).toEqual([]);
    for (const path of ['/health/components', '/readyz', '/changes', '/sync/v1/search']) expect(Object.keys(paths)).toContain(path);
    expect(tags.map(({ name }) => name)).toEqual(['health', 'sync', 'downloads', 'changes']);
    const page = await read('/docs/api/');
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(policy).not.toContain('https:');
    const html = await page.text();
    expect(html).toContain('swagger-ui.css');
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=/);
  });
});
