/**
 * What an idle subscriber costs a server in memory: the process's resident size with 2,000 devices that are connected, subscribed and hear a tick
 * a second, less its size with 100. The devices are in this process.
 */
import { defineSchema, f } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { report, round, tiny } from '../lib/report.ts';
import { metricOf, residentBytes, sleep, startTern, type TernProcess, until } from './server-process.ts';
import { resolveChannel, SimulatedDevice } from './simulated-device.ts';

const few = tiny ? 5 : 100;
const many = tiny ? 20 : 2_000;
/** Handshakes under way at once. */
const AT_ONCE = 50;
/** Ticks go on, so that the garbage of connecting is collected as it would be. */
const settleMs = tiny ? 50 : 20_000;
const definition = defineSchema({ notes: { title: f.text(), n: f.number() } }).definition.collections.notes;

async function sizeOf(server: TernProcess): Promise<{ readonly resident: number; readonly heap: number; readonly external: number }> {
  await sleep(settleMs);
  return {
    resident: residentBytes(server.pid),
    heap: await metricOf(server, 'nodejs_heap_size_used_bytes'),
    external: await metricOf(server, 'nodejs_external_memory_bytes'),
  };
}

export async function idleSubscribers(): Promise<void> {
  const server = await startTern();
  const devices: SimulatedDevice[] = [];
  const rng = seededRng(1);
  try {
    const url = `${server.url}/sync`;
    const channel = await resolveChannel(url, { name: 'notes', definition, partition: 'idle' });
    const grow = async (to: number): Promise<void> => {
      while (devices.length < to) {
        const batch = Array.from(
          { length: Math.min(AT_ONCE, to - devices.length) },
          (_, index) => new SimulatedDevice({ url, channel, subject: `user-${devices.length + index}`, rng }),
        );
        devices.push(...batch);
        await until('devices are live', () => batch.every(({ isLive }) => isLive));
      }
    };
    await grow(few);
    const before = await sizeOf(server);
    await grow(many);
    const after = await sizeOf(server);
    if (!devices.every(({ isLive }) => isLive)) throw new Error('idle subscribers: all of them live at the end expected');
    const each = (size: keyof typeof before): number => round((after[size] - before[size]) / (many - few) / 1024, 1);
    report('sync.idle-subscriber', {
      subscribers: many,
      residentKiB: each('resident'),
      heapKiB: each('heap'),
      externalKiB: each('external'),
      serverMiB: round(after.resident / 2 ** 20, 1),
    });
  } finally {
    for (const device of devices) device.close();
    await server.stop();
  }
}
