import { decodeBootstrapReference, MAX_MESSAGE_BYTES, PROTOCOL_VERSION, type ServerMessage } from '@terndb/sync';
import { afterEach, describe, expect, it } from 'vitest';
import type { Config } from '../../config/config.ts';
import { offerOf, sampleManifest } from '../testing/scripted-node.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const open: TestServer[] = [];
const start = async (change?: Partial<Config>): Promise<TestServer> => {
  const server = await startTestServer(change);
  open.push(server);
  return server;
};
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

const WRITE_TEAM = { partitions: { 'team:*': 'write' } } as const;
const channelMessage = { channel: 'notes/team:a/0', subscription: 1 };
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('the sync socket', () => {
  it('welcomes a valid token, and says how long it lives', async () => {
    const server = await start();
    const socket = await server.socket();
    socket.hello(await server.token(WRITE_TEAM));
    const welcome = await socket.next('welcome');
    expect(welcome).toMatchObject({ protocol: PROTOCOL_VERSION, logEpoch: 'epoch-1' });
    expect(welcome.expiresInMs).toBeGreaterThan(50_000);
    expect(welcome.expiresInMs).toBeLessThanOrEqual(60_000);
  });

  it('refuses a token that is missing, changed, expired or signed by somebody else', async () => {
    const server = await start();
    const good = await server.token(WRITE_TEAM);
    const [head, body] = good.split('.');
    const expired = await server.token(WRITE_TEAM, { lifetimeMs: -60_000 });
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    for (const bad of ['', 'x', `${head}.${body}.AAAA`, expired, `${none}.${body}.`]) {
      const socket = await server.socket();
      socket.hello(bad);
      expect((await socket.next('refused')).code).toBe('auth');
      expect(await socket.closed).toBe(1000);
    }
    expect(server.node.routed).toEqual([]);
  });

  it('refuses a token of another subject on a connection, and goes on with a renewed one', async () => {
    const server = await start();
    const socket = await server.socket();
    socket.hello(await server.token(WRITE_TEAM));
    await socket.next('welcome');
    socket.send({ type: 'auth', token: await server.token(WRITE_TEAM, { lifetimeMs: 120_000 }) });
    socket.send({ type: 'ping', nonce: 7 });
    await socket.next('pong');
    socket.send({ type: 'auth', token: await server.token(WRITE_TEAM, { subject: 'bob' }) });
    expect((await socket.next('refused')).code).toBe('subject');
  });

  it('ends a connection when its token expires', async () => {
    const server = await start();
    const socket = await server.socket();
    // A token's times are whole seconds.
    socket.hello(await server.token(WRITE_TEAM, { lifetimeMs: 1000 }));
    expect((await socket.next('refused')).code).toBe('auth');
    await socket.closed;
  });

  it('tells who is where to those who may read it, under the name in the token, and passes by who may not', async () => {
    const server = await start();
    const join = async (subject: string, team: string): Promise<Awaited<ReturnType<TestServer['socket']>>> => {
      const socket = await server.socket();
      socket.hello(await server.token({ partitions: { [`team:${team}`]: 'read' } }, { subject }), { clientId: subject });
      await socket.next('welcome');
      return socket;
    };
    const [ann, bob, eve] = [await join('ann', 'a'), await join('bob', 'a'), await join('eve', 'b')];
    const say = (socket: typeof ann, peer: number, text: string): void =>
      socket.send({ type: 'presence', channel: 'notes/team:a/0', topic: 'k', peer, state: new TextEncoder().encode(text) });
    say(ann, 1, 'here');
    say(eve, 3, 'listening');
    say(bob, 2, 'here too');
    expect(await ann.next('present')).toMatchObject({ peer: 2, subject: 'bob', topic: 'k' });
    expect(await bob.next('present')).toMatchObject({ peer: 1, subject: 'ann' });
    bob.close();
    await until(() => ann.received.some((message) => message.type === 'present' && message.state.length === 0));
    expect(ann.received.filter(({ type }) => type === 'present')).toHaveLength(2);
    expect(eve.received.filter(({ type }) => type === 'present')).toEqual([]);
    expect(server.node.routed).toEqual([]);
  });

  it('tells what is typed to those who may read it, and only what those say who may write it', async () => {
    const server = await start();
    const join = async (
      subject: string,
      partitions: Record<string, 'read' | 'write'>,
    ): Promise<Awaited<ReturnType<TestServer['socket']>>> => {
      const socket = await server.socket();
      socket.hello(await server.token({ partitions }, { subject }), { clientId: subject });
      await socket.next('welcome');
      socket.send({ type: 'hint', channel: 'notes/team:a/0', topic: 'k', what: 'join', update: new Uint8Array(0) });
      return socket;
    };
    const [ann, bob, eve] = [
      await join('ann', { 'team:a': 'write' }),
      await join('bob', { 'team:a': 'read' }),
      await join('eve', { 'team:b': 'write' }),
    ];
    const type = (socket: typeof ann, byte: number): void =>
      socket.send({ type: 'hint', channel: 'notes/team:a/0', topic: 'k', what: 'update', update: Uint8Array.of(byte) });
    // An answer is behind everything that was said before it.
    const settle = async (): Promise<void> => {
      for (const socket of [ann, bob, eve]) {
        socket.received.length = 0;
        socket.send({ type: 'ping', nonce: 1 });
        await socket.next('pong');
      }
    };
    await settle();
    type(bob, 1);
    type(eve, 2);
    await settle();
    for (const socket of [ann, bob, eve]) expect(socket.received.filter(({ type: is }) => is === 'hinted')).toEqual([]);
    type(ann, 3);
    expect(await bob.next('hinted')).toMatchObject({ topic: 'k', update: Uint8Array.of(3) });
    await settle();
    expect([...ann.received, ...eve.received].filter(({ type: is }) => is === 'hinted')).toEqual([]);
    expect(server.node.routed).toEqual([]);
  });

  it('refuses a client of another protocol', async () => {
    const server = await start();
    const socket = await server.socket();
    socket.hello(await server.token(WRITE_TEAM), { oldest: 90, newest: 91 });
    expect((await socket.next('refused')).code).toBe('incompatible-server');
  });

  it('refuses pages of foreign origins before the upgrade, and lets in its own and configured ones', async () => {
    const server = await start({ origins: ['https://app.example'] });
    await expect(server.socket({ origin: 'https://evil.example' })).rejects.toThrow('status 403');
    await expect(server.socket({ origin: 'null' })).rejects.toThrow('status 403');
    for (const origin of [server.url, 'https://app.example']) await server.socket({ origin });
  });

  it('refuses more sockets than there may be with a status, not with silence', async () => {
    const server = await start({ limits: { connections: 1 } as Config['limits'] });
    await server.socket();
    await expect(server.socket()).rejects.toThrow('status 429');
  });

  it('routes what the token grants, and answers denied for the rest', async () => {
    const server = await start();
    const socket = await server.socket();
    socket.hello(await server.token({ partitions: { 'team:*': 'read', 'team:a': 'write' } }));
    await socket.next('welcome');
    socket.subscribe('notes/private/0');
    expect(await socket.next('denied')).toMatchObject({ channel: 'notes/private/0', access: 'read' });
    socket.subscribe('notes/team:a/0', 2);
    socket.subscribe('notes/team:b/0', 3);
    await until(() => server.node.routed.length === 2);
    expect(server.node.routed.map(({ principal }) => [principal.subject, principal.clientId, principal.canWrite])).toEqual([
      ['ann', 'client-1', true],
      ['ann', 'client-1', false],
    ]);
  });

  it('stops sending a channel that a renewed token does not grant any more', async () => {
    const server = await start();
    const socket = await server.socket();
    socket.hello(await server.token(WRITE_TEAM));
    await socket.next('welcome');
    socket.subscribe('notes/team:a/0');
    await until(() => server.node.routed.length === 1);
    socket.send({ type: 'auth', token: await server.token({ partitions: { other: 'write' } }) });
    socket.send({ type: 'ping', nonce: 1 });
    await socket.next('pong');
    await new Promise((resolve) => setTimeout(resolve, 50));
    server.node.send({ type: 'ack', ...channelMessage, seq: 1, position: 1, rejected: [] });
    expect(await socket.next('denied')).toMatchObject({ access: 'read' });
    expect(socket.received.some(({ type }) => type === 'ack')).toBe(false);
  });

  it('closes on text, on garbage, on a message of the other direction, and on what comes before hello', async () => {
    const server = await start();
    const text = await server.socket();
    text.raw.send('hello');
    expect(await text.closed).toBe(1003);
    const garbage = await server.socket();
    garbage.raw.send(Uint8Array.of(255, 255, 1));
    expect(await garbage.closed).toBe(1002);
    const wrongWay = await server.socket();
    wrongWay.send({ type: 'goaway', retryMs: 1 } as never);
    expect(await wrongWay.closed).toBe(1002);
    const early = await server.socket();
    early.subscribe('notes/team:a/0');
    expect(await early.closed).toBe(1000);
  });

  it('closes on a message above the bound without reading it', async () => {
    const server = await start();
    const socket = await server.socket();
    socket.raw.send(new Uint8Array(MAX_MESSAGE_BYTES + 1));
    expect(await socket.closed).toBe(1009);
  });

  it('ends a connection that wants more channels than it may', async () => {
    const server = await start({ limits: { subscriptions: 2 } as Config['limits'] });
    const socket = await server.socket();
    socket.hello(await server.token(WRITE_TEAM));
    await socket.next('welcome');
    for (const [index, name] of ['a', 'b', 'c'].entries()) socket.subscribe(`notes/team:${name}/0`, index + 1);
    expect((await socket.next('refused')).code).toBe('overloaded');
    expect(await socket.closed).toBe(1013);
    expect(server.node.routed).toHaveLength(2);
  });

  it('reads a hasty client more slowly, and loses nothing of it', async () => {
    const server = await start({ limits: { messagesPerSecond: 50 } as Config['limits'] });
    const socket = await server.socket();
    socket.hello(await server.token(WRITE_TEAM));
    await socket.next('welcome');
    for (let nonce = 1; nonce <= 120; nonce++) socket.send({ type: 'ping', nonce });
    await until(() => socket.received.filter(({ type }) => type === 'pong').length === 120);
  });

  it('closes a socket that does not read, instead of keeping what it does not take', async () => {
    const server = await start({ limits: { bufferedBytes: 256 * 1024 } as Config['limits'] });
    const socket = await server.socket();
    socket.hello(await server.token(WRITE_TEAM));
    await socket.next('welcome');
    socket.raw.pause();
    const big: ServerMessage = { type: 'subscribed', ...channelMessage, head: 0, known: knownWith(4000), formers: [], from: 0 };
    for (let count = 0; count < 400; count++) server.node.send(big);
    await until(() => server.node.closed.length > 0);
  });

  it('tells the node once that a socket has gone, however it went', async () => {
    const server = await start();
    const socket = await server.socket();
    socket.hello(await server.token(WRITE_TEAM));
    await socket.next('welcome');
    socket.raw.terminate();
    await until(() => server.node.closed.length > 0);
    expect(new Set(server.node.closed).size).toBe(1);
  });
});

const knownWith = (rejections: number): Extract<ServerMessage, { type: 'subscribed' }>['known'] => ({
  clientId: 'client-1',
  lmid: 0,
  position: 0,
  rejected: Array.from({ length: rejections }, (_, seq) => ({ seq, code: 'STALE_WRITE' })),
});

describe('an offered manifest', () => {
  const subscribed: ServerMessage = {
    type: 'subscribed',
    ...channelMessage,
    head: 50,
    known: { clientId: 'client-1', lmid: 0, position: 0, rejected: [] },
    formers: [{ clientId: 'former-1', lmid: 2, position: 9, rejected: [] }],
    manifest: offerOf('manifests/m3'),
    from: 40,
  };
  const connected = async (): Promise<{ server: TestServer; socket: Awaited<ReturnType<TestServer['socket']>> }> => {
    const server = await start();
    const socket = await server.socket();
    socket.hello(await server.token(WRITE_TEAM));
    await socket.next('welcome');
    return { server, socket };
  };

  it('carries where it and everything it names is downloaded from, and those downloads work', async () => {
    const { server, socket } = await connected();
    server.node.manifests.set('manifests/m3', sampleManifest(channelMessage.channel));
    server.node.objects.set('segments/s1', new Uint8Array(4096).fill(7));
    server.node.send(subscribed);
    const { manifest: offer } = await socket.next('subscribed');
    const { manifest, objects } = decodeBootstrapReference(offer!.reference);
    expect(objects.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['segments/s1', 4096],
      ['indexes/i1', 512],
      ['tombstones/t1', 64],
    ]);
    const body = await fetch(`${server.url}/sync/${manifest.url}`);
    expect([body.status, (await body.arrayBuffer()).byteLength]).toEqual([200, manifest.bytes]);
    const segment = await fetch(`${server.url}/sync/${objects[0]!.url}`, { headers: { range: 'bytes=0-9' } });
    expect([segment.status, (await segment.arrayBuffer()).byteLength]).toEqual([206, 10]);
    expect(server.node.askedIds).toEqual([
      ['client-1', 'former-1'],
      ['client-1', 'former-1'],
    ]);
  });

  it('does not let what follows it overtake it', async () => {
    const { server, socket } = await connected();
    server.node.manifests.set('manifests/m3', sampleManifest(channelMessage.channel));
    server.node.send(subscribed);
    for (let seq = 1; seq <= 3; seq++) server.node.send({ type: 'ack', ...channelMessage, seq, position: seq, rejected: [] });
    await until(() => socket.received.length >= 5);
    expect(socket.received.map(({ type }) => type)).toEqual(['welcome', 'subscribed', 'ack', 'ack', 'ack']);
  });

  it('that is gone ends the subscription, so that the client asks again', async () => {
    const { server, socket } = await connected();
    server.node.send(subscribed);
    expect(await socket.next('ended')).toMatchObject({ ...channelMessage, reason: 'truncated' });
  });

  it('that cannot be read closes the socket rather than say something wrong', async () => {
    const { server, socket } = await connected();
    server.node.manifests.set('manifests/m3', Uint8Array.of(1, 2, 3));
    server.node.send(subscribed);
    expect(await socket.closed).toBe(1013);
  });
});

describe('draining', () => {
  it('says goaway, is not ready, takes no new socket, and closes all', async () => {
    const server = await start();
    const sockets = await Promise.all([server.socket(), server.socket()]);
    for (const socket of sockets) socket.hello(await server.token(WRITE_TEAM));
    for (const socket of sockets) await socket.next('welcome');
    const drained = server.app.drain(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    await expect(server.socket()).rejects.toThrow('status 503');
    for (const socket of sockets) {
      expect((await socket.next('goaway')).retryMs).toBeGreaterThanOrEqual(500);
      expect(await socket.closed).toBe(1001);
    }
    await drained;
  });
});
