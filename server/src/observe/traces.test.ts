import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DoorServer, startMemoryServer } from '../access/testing/test-server.ts';
import type { ServerNode } from '../node/types.ts';
import { Collector } from './testing/collector.ts';

const ROOT = 'root:open sesame';
const CALLER = { trace: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7' };

let collector: Collector;
let server: (DoorServer & { readonly real: ServerNode }) | undefined;
beforeEach(async () => {
  collector = await Collector.open();
});
afterEach(async () => {
  await server?.close();
  await collector.close();
});

async function start(sampleRatio: number): Promise<void> {
  server = await startMemoryServer({ traces: { endpoint: collector.url, sampleRatio } });
}

async function call(path: string, body: object, headers: Record<string, string> = {}): Promise<unknown> {
  return (await server!.post(`/v2/vectordb/${path}`, body, ROOT, headers)).json();
}

/** Everything has been sent. */
async function end(): Promise<void> {
  await server!.close();
  server = undefined;
}

const rows = Array.from({ length: 40 }, (_, id) => ({ id, vector: [0.125, id], secret: 'brillig' }));
const traceparent = (flags: string): Record<string, string> => ({ traceparent: `00-${CALLER.trace}-${CALLER.span}-${flags}` });

describe('traces', () => {
  it('show a write from its route to the broker, and a search to its segments', async () => {
    await start(1);
    await call('collections/create', { collectionName: 'notes', dimension: 2, metricType: 'L2' });
    await call('entities/insert', { collectionName: 'notes', data: rows });
    await server!.real.flush('default');
    await call('entities/insert', { collectionName: 'notes', data: [{ id: 100, vector: [7, 7] }] });
    await call('entities/search', { collectionName: 'notes', data: [[0.125, 3]], filter: 'id < 10', limit: 2 });
    await end();
    const insert = 'POST /v2/vectordb/entities/insert';
    const search = 'POST /v2/vectordb/entities/search';
    const paths = collector.paths();
    for (const path of [
      `${insert} > write > leader append > log append`,
      `${search} > read > wait for position`,
      `${search} > read > rank > segment`,
    ]) {
      expect(paths).toContain(path);
    }
    expect(collector.attributes('read')).toMatchObject({ type: 'search', database: 'default', collection: 'notes' });
    expect(collector.attributes('segment')).toMatchObject({ partition: '_default', plan: 'scan' });
    const ofRead = collector.spans.filter(({ name }) => name === 'segment').map(({ attributes }) => attributes);
    const numbers = ofRead.map((all) => Object.fromEntries(all.map(({ key, value }) => [key, value['intValue']])));
    // The growing row does not pass the filter: nothing is searched there.
    expect(numbers.map((all) => [all['rows'], all['survivors']])).toEqual([[40, 10]]);
    expect(collector.attributes(search)).toMatchObject({ 'http.route': '/v2/vectordb/entities/search', 'http.response.status_code': 200 });
    expect(Number(collector.attributes('log append')['bytes'])).toBeGreaterThan(100);
  });

  it('go on with a trace that the caller began, and only where it is sampled', async () => {
    await start(0);
    await call('collections/list', {}, traceparent('00'));
    await call('collections/list', {});
    await call('databases/list', {}, traceparent('01'));
    await end();
    expect(collector.spans.map(({ name, traceId, parentSpanId }) => [name, traceId, parentSpanId])).toEqual([
      ['POST /v2/vectordb/databases/list', CALLER.trace, CALLER.span],
    ]);
  });

  it('begin anew where a header is not a trace', async () => {
    await start(1);
    for (const bad of ['', '00-x', `00-${'0'.repeat(32)}-${CALLER.span}-01`, `ff-${CALLER.trace}-${CALLER.span}-01`, 'a'.repeat(4_000)])
      await call('databases/list', {}, { traceparent: bad });
    await end();
    expect(collector.spans).toHaveLength(5);
    for (const { parentSpanId, traceId } of collector.spans) {
      expect(parentSpanId ?? '').toBe('');
      expect(traceId).not.toBe(CALLER.trace);
    }
  });

  it('hold no value, no vector, no filter and no token, and of an error its code', async () => {
    await start(1);
    await call('collections/create', { collectionName: 'notes', dimension: 2 });
    await call('entities/insert', { collectionName: 'notes', data: rows });
    await call('entities/query', { collectionName: 'notes', filter: 'secret == "brillig" and id > 12345' });
    await call('entities/search', { collectionName: 'notes', data: [[0.125, 0.25, 0.375]] });
    await end();
    const text = collector.bodies.join('');
    expect(text.length).toBeGreaterThan(1_000);
    for (const secret of ['brillig', '12345', '0.125', '0.375', 'open sesame', 'Bearer']) expect(text).not.toContain(secret);
    expect(collector.spans.find(({ status }) => status.code === 2)?.status.message).toMatch(/^[A-Z_]+$/);
  });

  it('end with a request whose caller left before it was answered, and say so', async () => {
    await start(1);
    const { hostname, port } = new URL(server!.url);
    const socket = connect(Number(port), hostname);
    const lines = ['POST /sync/v1/get HTTP/1.1', `Host: ${hostname}:${port}`, 'Content-Type: application/json', 'Content-Length: 10'];
    // Answered as soon as the request is there, with its body still to come.
    socket.write([...lines, 'Expect: 100-continue', '', '{'].join('\r\n'));
    await once(socket, 'data');
    socket.destroy();
    // By then the server knows.
    await call('databases/list', {});
    await end();
    const ended = collector.spans.map(({ name, status }) => [name, status.message]);
    expect(ended).toContainEqual(['POST /sync/v1/get', 'ABORTED']);
    expect(ended).toHaveLength(2);
  });

  it('cost a request nothing when the collector is away', async () => {
    server = await startMemoryServer({ traces: { endpoint: 'http://127.0.0.1:9/v1/traces', sampleRatio: 1 } });
    expect(await call('databases/list', {})).toMatchObject({ code: 0 });
    await end();
  });
});

it('without an endpoint nothing of OpenTelemetry is loaded', () => {
  const script = `import { openTraces } from ${JSON.stringify(new URL('./traces.ts', import.meta.url).href)};
    import ${JSON.stringify(new URL('../access/http/create-app.ts', import.meta.url).href)};
    if (await openTraces({ sampleRatio: 1 }) !== undefined) throw new Error('traces');
`;
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@terndb/source', '--import', `data:text/javascript,${encodeURIComponent(NO_OTEL)}`, '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  );
  expect([status, stderr]).toEqual([0, '']);
});

/** Refuses its packages, but for the interfaces, which prom-client loads. */
const NO_OTEL = `import { registerHooks } from 'node:module';
registerHooks({ resolve: (name, context, next) => {
  if (name.startsWith('@opentelemetry/') && name !== '@opentelemetry/api') throw new Error('loaded ' + name);
  return next(name, context);
} });`;
