import { describe, expect, it } from 'vitest';
import { openEngine } from '../database/open-engine.ts';
import type { Engine, EnginePorts } from '../database/types.ts';
import { cutPorts, PowerCut } from '../testing/cut-ports.ts';
import { memoryPorts } from '../testing/memory-ports.ts';
import { testSchema } from '../testing/test-channel.ts';
import { type RankIndex, type RankKind, rankKind } from './testing/rank-index.ts';

const open = (ports: EnginePorts, kind: RankKind): Promise<Engine> => openEngine({ ports, schema: testSchema, indexKinds: [kind] });

/** Segments that come, get their files, are merged and get new ones. */
async function tell(engine: Engine): Promise<number> {
  let durable = 0;
  for (let step = 0; step < 3; step++) {
    const entities = Array.from({ length: 5 }, (_, i) => ({ key: `k${step}${i}`, rank: step * 10 + i }));
    try {
      engine.write({ type: 'put', collection: 'things', entities });
      await engine.flush();
      durable += entities.length;
      await engine.seal();
      await engine.buildIndexes();
    } catch {
      return durable;
    }
  }
  return durable;
}

/** Rows that are visible, and that every sealed block's index says what its rows do. */
function checkedRows(engine: Engine, kind: RankKind): { readonly rows: number; readonly indexed: number } {
  let rows = 0;
  let indexed = 0;
  for (const { view } of engine.views('things')) {
    rows += view.liveRows;
    for (const block of view.blocks) {
      const index = block.index?.<RankIndex>(kind, 'rank');
      if (index === undefined) continue;
      const values = Array.from({ length: block.rows }, (_, offset) => block.valueAt('rank', offset));
      expect([...index.ranks]).toEqual(values);
      indexed += block.rows;
    }
    view.release();
  }
  return { rows, indexed };
}

describe.each(['background', 'seal'] as const)('a power cut anywhere in the life of index files of stage %s', (stage) => {
  const kindOf = (): RankKind => rankKind(stage === 'seal' ? { stage } : {});

  it('leaves rows whole and files right or missing, and what is missing is built again', async () => {
    const counter = new PowerCut(Number.POSITIVE_INFINITY, false);
    const whole = await open(cutPorts(await memoryPorts(), counter), kindOf());
    expect(await tell(whole)).toBe(15);
    await whole.close();
    expect(counter.calls).toBeGreaterThan(30);

    for (let at = 1; at <= counter.calls; at++) {
      for (const applied of [false, true]) {
        const ports = await memoryPorts();
        const cut = new PowerCut(at, applied);
        const before = await open(cutPorts(ports, cut), kindOf()).catch(() => undefined);
        const durable = before === undefined ? 0 : await tell(before);
        await before?.close();

        const kind = kindOf();
        const after = await open(ports, kind);
        await after.buildIndexes();
        const { rows } = checkedRows(after, kind);
        expect([durable, durable + 5], `cut at ${at}, applied ${applied}`).toContain(rows);
        await after.seal();
        await after.buildIndexes();
        expect(checkedRows(after, kind)).toEqual({ rows, indexed: rows });
        expect(after.inspect().indexing).toMatchObject({ damaged: 0, failed: 0, waiting: 0 });
        await after.close();

        const last = kindOf();
        const reopened = await open(ports, last);
        await reopened.buildIndexes();
        expect(checkedRows(reopened, last)).toEqual({ rows, indexed: rows });
        expect(last.builds).toBe(0);
        await reopened.close();
        const files = (await ports.objects.list('')).map(({ name }) => name).filter((name) => name.includes('/index-'));
        expect(files).toHaveLength(rows === 0 ? 0 : 1);
      }
    }
  }, 60_000);
});
