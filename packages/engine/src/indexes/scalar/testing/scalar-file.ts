import type { Column } from '../../../columns/column.ts';
import { runAtOnce } from '../../../segment/steps.ts';
import type { RowBlock } from '../../../view/view.ts';
import type { IndexKind } from '../../types.ts';
import { openScalarIndex } from '../open-scalar-index.ts';
import { SCALAR_INDEX } from '../scalar-kind.ts';
import type { ScalarIndex, ScalarStructure } from '../types.ts';
import { encodeScalarIndex } from '../write-scalar-index.ts';

export function scalarFile(column: Column, rows: number, structure: ScalarStructure): Uint8Array<ArrayBuffer> {
  return runAtOnce(encodeScalarIndex({ column, rows, structure }));
}

export function openFile(file: Uint8Array<ArrayBuffer>, column: Column, rows: number): ScalarIndex {
  return openScalarIndex(file, { what: 'scalar index s.f', rows, column });
}

/** What a column can have. */
export function structuresOf(column: Column): readonly ScalarStructure[] {
  switch (column.kind) {
    case 'number':
    case 'int64':
    case 'boolean':
    case 'keyword':
      return ['sorted', 'inverted', 'bitmap'];
    case 'string':
      return ['sorted'];
    case 'list':
      return ['inverted', 'bitmap'];
    default:
      return [];
  }
}

/** The block as a sealed segment with index files over these fields gives it. `onFind`: told of leaves that an index answers. */
export function withScalarIndexes(
  block: RowBlock,
  { fields, pick, onFind = () => {} }: { readonly fields: readonly string[]; readonly pick: number; readonly onFind?: () => void },
): RowBlock {
  const indexes = new Map<string, ScalarIndex>();
  for (const field of fields) {
    const column = block.column(field);
    if (column === undefined) continue;
    const structures = structuresOf(column);
    const structure = structures[pick % Math.max(1, structures.length)];
    if (structure === undefined) continue;
    const index = openFile(scalarFile(column, block.rows, structure), column, block.rows);
    indexes.set(field, {
      structure,
      find: (leaf) => {
        const found = index.find(leaf);
        if (found !== undefined) onFind();
        return found;
      },
    });
  }
  const index = <T>(kind: IndexKind<T>, field: string): T | undefined =>
    kind.type === SCALAR_INDEX.type ? (indexes.get(field) as T | undefined) : undefined;
  return { ...block, index };
}
