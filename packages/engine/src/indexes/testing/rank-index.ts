import type { FieldDefinition } from '@terndb/core';
import { formatInvalid } from '../../bytes/damage.ts';
import type { Segment } from '../../segment/types.ts';
import type { BuildContext, IndexKind } from '../types.ts';

/** The values of the field `rank`, row by row: an index whose truth is easily told. */
export type RankIndex = { readonly ranks: Float64Array; isClosed: boolean };

export interface RankKind extends IndexKind<RankIndex> {
  readonly opened: RankIndex[];
  builds: number;
}

/** `rows`: from how many rows on. `onRow`: called between the rows of a build, before it pauses. */
export function rankKind(options: { readonly rows?: number; readonly stage?: 'seal'; readonly onRow?: () => unknown } = {}): RankKind {
  return {
    type: 'rank',
    ...(options.stage === undefined ? {} : { stage: options.stage }),
    opened: [],
    builds: 0,
    wants: (segment: Segment, field: FieldDefinition) => field.name === 'rank' && segment.rows >= (options.rows ?? 1),
    async build(segment: Segment, field: FieldDefinition, { pause, onProgress }: BuildContext) {
      this.builds += 1;
      const ranks = new Float64Array(segment.rows);
      for (let row = 0; row < segment.rows; row++) {
        ranks[row] = segment.valueAt(field.name, row) as number;
        await options.onRow?.();
        await pause();
        onProgress((row + 1) / segment.rows);
      }
      const bytes = new Uint8Array(ranks.buffer);
      return [bytes.slice(0, 3), bytes.slice(3)];
    },
    open(bytes: Uint8Array<ArrayBuffer>, segment: Segment) {
      if (bytes.length !== segment.rows * 8) throw formatInvalid('rank index', `${segment.rows} rows expected`);
      const index = { ranks: new Float64Array(bytes.buffer), isClosed: false };
      this.opened.push(index);
      return index;
    },
    close(index: RankIndex) {
      index.isClosed = true;
    },
  };
}
