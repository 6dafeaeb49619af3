import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ManualClock } from '@terndb/core/testing';
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Finding } from '../../node/health/finding.ts';
import { WatchedKeySet } from './watched-key-set.ts';

let clock: ManualClock;
let server: Server;
let answer: { status: number; body: string };
let keySet: WatchedKeySet;
let token: string;
beforeEach(async () => {
  clock = new ManualClock(Date.now());
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  answer = { status: 200, body: JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] }) };
  server = createServer((_request, response) => response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  keySet = new WatchedKeySet(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`), clock);
  token = await new SignJWT({ sub: 'ann' }).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(privateKey);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const verify = (): Promise<boolean> =>
  jwtVerify(token, keySet.keys).then(
    () => true,
    () => false,
  );
/** Looks, and lets what the look has begun end. */
async function becomes(expected: Finding['status']): Promise<Finding> {
  for (let tries = 0; tries < 400; tries++) {
    clock.advance(5_000);
    const finding = keySet.check();
    if (finding.status === expected) return finding;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${expected} expected, got ${JSON.stringify(keySet.check())}`);
}

it.each([
  ['an error', 500, '', 'status 500 of the key set'],
  ['something else', 200, '<html>', 'the answer is no key set'],
  ['keys that are none', 200, '{"keys":7}', 'the answer is no key set'],
])('is failing while its server answers with %s, and well when it has keys', async (_what, status, body, reason) => {
  const good = answer;
  answer = { status, body };
  expect(await verify()).toBe(false);
  expect(keySet.check()).toMatchObject({ status: 'failing', reason: `${reason}; tokens cannot be checked` });
  answer = good;
  await becomes('ok');
  expect(await verify()).toBe(true);
});

it('is degraded while its server is away and the keys that it gave are young', async () => {
  expect(await verify()).toBe(true);
  expect(keySet.check()).toEqual({ status: 'ok' });
  const sinceMs = clock.nowMs();
  answer = { ...answer, status: 503 };
  await keySet.reload();
  const finding = keySet.check();
  expect(finding).toEqual({ status: 'degraded', reason: 'status 503 of the key set; keys known before still serve', sinceMs });
  expect(await verify()).toBe(true);
  expect(keySet.check().sinceMs).toBe(sinceMs);
});
