import { readFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const file = (name: string): string => fileURLToPath(new URL(`../testing/certificates/${name}`, import.meta.url));
const pem = (name: string): string => readFileSync(file(name), 'utf8');
const OWN = { certFile: file('server.pem'), keyFile: file('server.key') };
const CLIENT = { ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key') };

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

function get(url: string, options: RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/healthz`, { ...options, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('TLS', () => {
  it('serves HTTPS and WSS with the configured certificate', async () => {
    server = await startTestServer({ tls: OWN });
    expect(server.url).toMatch(/^https:/);
    expect(await get(server.url, { ca: CLIENT.ca })).toBe(200);
    await expect(get(server.url, {})).rejects.toThrow();
    const socket = new WebSocket(`${server.url.replace('https', 'wss')}/sync`, { ca: CLIENT.ca });
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    socket.terminate();
  });

  it('asks for certificates of clients where an authority is named', async () => {
    server = await startTestServer({ tls: { ...OWN, clientCaFile: file('ca.pem') } });
    expect(await get(server.url, CLIENT)).toBe(200);
    await expect(get(server.url, { ca: CLIENT.ca })).rejects.toThrow();
  });

  it('says which file cannot be read', async () => {
    const started = startTestServer({ tls: { ...OWN, keyFile: '/nowhere.pem' } });
    await expect(started).rejects.toThrow('tls.keyFile: a readable file expected, got /nowhere.pem');
  });
});
