/** The race inside a worker of a browser: told what to measure, answers with rows. */
import { loadKernel } from '@terndb/kernel';
import type { Contender, Settings } from './contender.ts';
import type { DataSet } from './data.ts';
import { createHnswlibWasm } from './hnswlib-wasm.ts';
import { race } from './race.ts';

export interface ChromiumJob {
  readonly name: string;
  readonly dim: number;
  readonly rows: number;
  readonly queries: number;
  readonly settings: Settings;
  readonly turns: number;
  readonly filteredTurns: number;
  readonly filteredQueries: number;
}

/** Both files hold row-major float32. */
async function fetchData({ name, dim, rows, queries }: ChromiumJob): Promise<DataSet> {
  const floats = async (file: string): Promise<Float32Array> => new Float32Array(await (await fetch(file)).arrayBuffer());
  const [stored, asked] = await Promise.all([floats('/stored.bin'), floats('/queries.bin')]);
  return { name, dim, rows, stored, queries: Array.from({ length: queries }, (_, at) => asked.slice(at * dim, (at + 1) * dim)) };
}

async function run(job: ChromiumJob): Promise<object> {
  const data = await fetchData(job);
  const others: Contender[] = [];
  const missing: object[] = [];
  try {
    others.push(await createHnswlibWasm(data, job.settings));
  } catch (error) {
    missing.push({ name: 'hnswlib-wasm f32', missing: String(error) });
  }
  const kernel = await loadKernel({ wasm: '/kernel.wasm' });
  const { rows, contenders } = race({ kernel, data, ...job }, others);
  for (const contender of contenders) contender.free();
  return [...rows, ...missing];
}

addEventListener('message', ({ data }: MessageEvent<ChromiumJob>) => {
  run(data).then(
    (rows) => postMessage({ rows }),
    (error: unknown) => postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
