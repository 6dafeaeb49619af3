import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { startMemoryServer } from './testing/test-server.ts';

const DEPLOY = new URL('../../../deploy/', import.meta.url);
/** Not the server's own: Prometheus' word for whether a scrape succeeded. */
const NOT_OURS = new Set(['up']);
const NAME = /\b((?:terndb|milvus|process|nodejs|up)\w*)\s*(?=[{[)>=]|$|\s)/g;

it.each(['grafana/tern.json', 'prometheus/alerts.yml'])('every metric of %s is one that the server has', async (file) => {
  const text = await readFile(new URL(file, DEPLOY), 'utf8');
  const expressions = [...text.matchAll(/"?expr"?: (.*)$/gm)].map(([, expression]) => expression!);
  const names = new Set(expressions.flatMap((expression) => [...expression.matchAll(NAME)].map(([, name]) => name!)));
  expect(names.size).toBeGreaterThan(4);
  const server = await startMemoryServer();
  try {
    const scraped = await (await fetch(`${server.url}/metrics`)).text();
    const known = new Set(
      [...scraped.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name, type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_count`] : [name!],
      ),
    );
    expect([...names].filter((name) => !known.has(name) && !NOT_OURS.has(name))).toEqual([]);
  } finally {
    await server.close();
  }
});
