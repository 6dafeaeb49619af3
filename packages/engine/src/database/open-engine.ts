import { checkAnalyzers, loadAnalyzers, schemaFromDefinition } from '@terndb/core';
import { openCatalog } from '../catalog/catalog.ts';
import { collabFieldsOf, loadCollab } from '../collab/load.ts';
import { SegmentPool } from '../replica/segment-pool.ts';
import { fromKernel } from './from-kernel.ts';
import { checkLimits } from './limits.ts';
import { LocalEngine } from './local-engine.ts';
import { openChannels } from './open-channels.ts';
import type { Engine, EngineOptions } from './types.ts';

/**
 * Opens a database on these ports, or makes it. Only one engine may be open on the same storage: appends fence a second one, which then
 * closes itself.
 * @throws SCHEMA_INVALID, SCHEMA_CONFLICT, OPTION_INVALID, FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED, STORAGE_UNAVAILABLE, MEMORY_LIMIT.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { ports } = options;
  const limits = checkLimits(options.limits);
  const { definition: schema } = schemaFromDefinition(options.schema);
  checkAnalyzers(schema);
  await loadAnalyzers(Object.values(schema.collections));
  const catalog = await openCatalog({ meta: ports.meta, rng: ports.rng, schema });
  if ([...catalog.collections()].some(({ definition }) => collabFieldsOf(definition).size > 0)) await loadCollab();
  const pool = new SegmentPool(ports.objects, ports.kernel, options.indexKinds, undefined, ports.scratch);
  const opened = await openChannels({ ports, catalog, pool }).catch((error: unknown) => {
    throw fromKernel(error);
  });
  const { outbox, buildIndexes = true } = options;
  return new LocalEngine({ ports, limits, catalog, pool, opened, buildIndexes, outbox });
}
