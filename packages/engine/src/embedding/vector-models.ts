import { forEachSet, testBit } from '../bitmap/bitmap.ts';
import type { Mask } from '../read/filter/mask.ts';
import type { RowBlock } from '../view/view.ts';

/** Which vectors of a field one query may be compared with: those of its own space. */
export interface ModelFilter {
  readonly model: string;
  readonly withGiven: boolean;
}

/** The models that live rows of these blocks have vectors of, ascending. Cost: nothing where a block knows one model only. */
export function modelsOf(blocks: readonly Pick<RowBlock, 'live' | 'rows' | 'origins'>[], field: string): string[] {
  const found = new Set<string>();
  for (const block of blocks) {
    const origins = block.origins?.(field);
    if (origins === undefined || origins.models.every((model) => found.has(model))) continue;
    const missing = new Set(origins.models.filter((model) => !found.has(model)));
    for (let offset = 0; offset < block.rows && missing.size > 0; offset++) {
      const model = origins.models[origins.codes[offset]! - 1];
      if (model === undefined || !missing.has(model) || !testBit(block.live, offset)) continue;
      missing.delete(model);
      found.add(model);
    }
  }
  return [...found].sort();
}

/** The rows of `mask` whose vector is of the wanted space; `mask` itself where all are. */
export function ofModel(block: RowBlock, field: string, mask: Mask, filter: ModelFilter): Mask {
  const origins = block.origins?.(field);
  if (origins === undefined) return filter.withGiven ? mask : new Uint32Array(mask.length);
  if (filter.withGiven && origins.models.every((model) => model === filter.model)) return mask;
  const wanted = origins.models.indexOf(filter.model) + 1;
  const out = new Uint32Array(mask.length);
  forEachSet(mask, (offset) => {
    const code = origins.codes[offset] ?? 0;
    if (code === 0 ? filter.withGiven : code === wanted) out[offset >>> 5]! |= 1 << (offset & 31);
  });
  return out;
}
