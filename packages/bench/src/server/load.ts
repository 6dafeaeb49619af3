import { Agent, request } from 'node:http';
import { median, percentile, round } from '../lib/numbers.ts';
import type { SearchOptions, ServerContender } from './contender.ts';

export interface Load {
  readonly connections: number;
  readonly qps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One request at a time on each of so many connections that are kept. */
export async function load(
  contender: ServerContender,
  queries: readonly (readonly number[])[],
  { connections, ms, ...options }: SearchOptions & { readonly connections: number; readonly ms: number },
): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  const start = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      const asked = performance.now();
      await ask(contender, agent, queries[next++ % queries.length]!, options);
      times.push(performance.now() - asked);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, worker));
  } finally {
    agent.destroy();
  }
  const seconds = (performance.now() - start) / 1000;
  return {
    connections,
    qps: Math.round(times.length / seconds),
    p50Ms: round(median(times)),
    p99Ms: round(percentile(times, 0.99)),
  };
}

/** Share of the true nearest that are found, over all queries. */
export async function recallOf(
  contender: ServerContender,
  queries: readonly (readonly number[])[],
  truth: readonly ReadonlySet<number>[],
  options: SearchOptions,
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let [found, wanted] = [0, 0];
  try {
    for (const [index, best] of truth.entries()) {
      const ids = contender.ids(await ask(contender, agent, queries[index]!, options));
      wanted += best.size;
      for (const id of ids) if (best.has(id)) found += 1;
    }
  } finally {
    agent.destroy();
  }
  return round(found / wanted, 4);
}

function ask(
  { url, headers, request: toRequest }: ServerContender,
  agent: Agent,
  vector: readonly number[],
  options: SearchOptions,
): Promise<string> {
  const { path, body } = toRequest(vector, options);
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}${path}`,
      { method: 'POST', agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(`${response.statusCode}: ${text}`))));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
