/**
 * The highest rate of writes that 50 devices of one partition sustain, every write going to every device: p99 of the lag below 2 s, and no
 * upward slope. Lag: from the write on one device to applied on another, in one process and so on one clock. All devices share one process: on
 * few cores they are the larger part of the load, and the rate is of server and devices together.
 */
import { defineSchema, f } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { percentile, report, round, tiny } from '../lib/report.ts';
import { sleep, startTern, until } from './server-process.ts';
import { resolveChannel, SimulatedDevice } from './simulated-device.ts';

const clients = tiny ? 4 : 50;
const windowMs = Number(process.env['BENCH_WINDOW_MS'] ?? (tiny ? 400 : 120_000));
const probeMs = tiny ? 200 : 8_000;
/** BENCH_RATE: the one to try, without others before it. */
const only = process.env['BENCH_RATE'];
const rates = only !== undefined ? [Number(only)] : tiny ? [50] : [250, 500, 1_000, 2_000, 3_000, 4_000, 6_000, 8_000, 12_000];
const MAX_P99_MS = 2_000;
/** Lag may rise by so much in the whole window: noise of a shared machine. */
const MAX_RISE_MS = 100;
const TURN_MS = 10;
/** After the last write everything has to arrive within this. */
const DRAIN_MS = 20_000;
const definition = defineSchema({ notes: { title: f.text(), n: f.number() } }).definition.collections.notes;

interface Lag {
  readonly atMs: number;
  readonly lagMs: number;
}

interface Outcome {
  readonly rate: number;
  readonly writtenPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly riseMs: number;
  readonly isSustained: boolean;
}

/** Rise of the lag over the window: slope of a least-squares line through medians of a twentieth each, so that one pause does not tilt it. */
function riseOf(lags: readonly Lag[], ms: number): number {
  const parts = 20;
  const medians = Array.from({ length: parts }, (_, part) => {
    const own = lags.filter(({ atMs }) => Math.floor((atMs / ms) * parts) === part).map(({ lagMs }) => lagMs);
    return own.length === 0 ? undefined : { x: (part + 0.5) / parts, y: percentile(own, 0.5) };
  }).filter((point) => point !== undefined);
  const meanX = medians.reduce((sum, { x }) => sum + x, 0) / medians.length;
  const meanY = medians.reduce((sum, { y }) => sum + y, 0) / medians.length;
  const covariance = medians.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const variance = medians.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return variance === 0 ? 0 : covariance / variance;
}

/** Writes at `rate` for `ms`, taking turns; every record is seen by every device, a sample of them is timed. */
async function run(url: string, rate: number, ms: number, seed: number): Promise<Outcome> {
  const channel = await resolveChannel(`${url}/sync`, { name: 'notes', definition, partition: `rate-${seed}` });
  const rng = seededRng(seed);
  const lags: Lag[] = [];
  let start = 0;
  let seen = 0;
  const devices = Array.from({ length: clients }, (_, index) => {
    const watched = index % 5 === 0;
    return new SimulatedDevice({
      url: `${url}/sync`,
      channel,
      subject: `user-${index}`,
      rng,
      onFrame: ({ records }) => {
        seen += records.length;
        if (!watched) return;
        const now = performance.now();
        for (const record of records) {
          if (record.type !== 'op' || record.op.type !== 'put') continue;
          const writtenMs = record.op.fields['n'] as number;
          lags.push({ atMs: writtenMs - start, lagMs: now - writtenMs });
        }
      },
    });
  });
  try {
    await until('devices are live', () => devices.every(({ isLive }) => isLive));
    start = performance.now();
    let written = 0;
    for (let now = start; now - start < ms; now = performance.now()) {
      for (const due = Math.floor(((now - start) / 1000) * rate); written < due; written++) {
        const pk = `${seed}-${written}`;
        // When it was due: a writer that comes too late must not hide its lateness.
        const n = start + (written / rate) * 1000;
        devices[written % clients]!.write({ type: 'put', pk, fields: { title: `note ${pk} of somebody`, n }, create: true });
      }
      await sleep(TURN_MS);
      if (lags.at(-1) !== undefined && lags.at(-1)!.lagMs > 5 * MAX_P99_MS) break;
    }
    const seconds = (performance.now() - start) / 1000;
    const drained = await until('writes have arrived', () => devices.every(({ position }) => position >= written), {
      timeoutMs: DRAIN_MS,
    }).then(
      () => true,
      () => false,
    );
    const failure = devices.find((device) => device.failure !== undefined)?.failure;
    if (failure !== undefined) throw new Error(`sustained rate: ${failure}`);
    if (drained && seen !== written * clients) throw new Error(`${seen} records applied, ${written * clients} expected`);
    const values = lags.map(({ lagMs }) => lagMs);
    const p99Ms = percentile(values, 0.99);
    const riseMs = riseOf(lags, seconds * 1000);
    return {
      rate,
      writtenPerSecond: Math.round(written / seconds),
      p50Ms: round(percentile(values, 0.5), 1),
      p99Ms: round(p99Ms, 1),
      riseMs: round(riseMs, 1),
      isSustained: tiny ? drained : drained && p99Ms < MAX_P99_MS && riseMs < MAX_RISE_MS && written / seconds > rate * 0.95,
    };
  } finally {
    for (const device of devices) device.close();
  }
}

export async function sustainedRate(): Promise<void> {
  const server = await startTern();
  try {
    let best = rates[0]!;
    let seed = 1;
    const probes: Outcome[] = [];
    for (const rate of only === undefined ? rates : []) {
      const outcome = await run(server.url, rate, probeMs, seed++);
      probes.push(outcome);
      if (!outcome.isSustained) break;
      best = rate;
    }
    // What a short probe bears may not last: step down until a whole window does.
    let outcome: Outcome | undefined;
    for (let rate = best; rate >= rates[0]! / 4 && outcome?.isSustained !== true; rate = Math.floor(rate * 0.75)) {
      outcome = await run(server.url, rate, windowMs, seed++);
    }
    const appliedPerSecond = (outcome?.writtenPerSecond ?? 0) * clients;
    report('sync.sustained-rate', { clients, windowMs, ...outcome, appliedPerSecond, probes });
  } finally {
    await server.stop();
  }
}
