import { defineSchema, f, type SchemaDefinition } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import { memoryPorts } from '../testing/memory-ports.ts';
import { openEngine } from './open-engine.ts';

const DIM = 32;
const ROWS = 5_000;
/** Every row is put so often: what a long session does to its growing rows and segments. */
const ROUNDS = 20;
const collection = 'notes';
const schema: SchemaDefinition = defineSchema({
  notes: { key: f.primaryKey('varchar'), title: f.text({ search: true }), vec: f.vector(DIM) },
}).definition;

describe('kernel memory', () => {
  it('is, after 100,000 puts, seals, live queries and compaction, what a reopened database needs, and nothing after close', async () => {
    const ports = await memoryPorts();
    const before = ports.kernel.usedBytes;
    const engine = await openEngine({ ports, schema });
    let results = 0;
    const stop = engine.watchQuery(
      { collection, limit: 10 },
      () => results++,
      () => {},
    );
    let most = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const entities = Array.from({ length: ROWS }, (_, row) => ({
        key: `k${row}`,
        title: `round ${round}`,
        vec: Array.from({ length: DIM }, (_, d) => (row * 31 + d * 7 + round) % 13),
      }));
      engine.write({ type: 'put', collection, entities });
      ports.clock.advance(20);
      if (round % 4 === 3) await engine.seal();
      most = Math.max(most, ports.kernel.usedBytes);
    }
    expect(results).toBeGreaterThan(ROUNDS / 2);
    stop();
    await engine.seal();
    await engine.compact();
    const { partitions } = engine.inspect();
    expect(partitions[0]).toMatchObject({ entities: ROWS, growing: 0 });
    const used = ports.kernel.usedBytes;
    expect(used).toBeLessThan(most);
    await engine.close();
    expect(ports.kernel.usedBytes).toBe(before);
    const again = await openEngine({ ports, schema });
    expect(again.count({ collection }).count).toBe(ROWS);
    expect(used).toBe(ports.kernel.usedBytes);
    await again.close();
    expect(ports.kernel.usedBytes).toBe(before);
  });
});
