import { type CollectionDefinition, type PrimaryKey, type SingleOp, toPublicEntity } from '@terndb/core';

type Row = Readonly<Record<string, unknown>>;

/**
 * A row of the server's answer with what this device wrote since: `entity` undefined when it deleted the row, or put another in its place, which
 * the answer of this device has. `ops`: those of the outbox on this key, in their order.
 */
export function underOutbox(
  definition: CollectionDefinition,
  row: { readonly key: PrimaryKey; readonly entity: Row },
  ops: readonly SingleOp[],
): { readonly entity: Row | undefined; readonly isPending: boolean } {
  let { entity } = row;
  for (const op of ops) {
    if (op.type === 'put' || op.type === 'delete') return { entity: undefined, isPending: true };
    if (op.type !== 'patch') continue;
    // Only what was asked for.
    const names = Object.keys(op.fields).filter((name) => name in entity);
    entity = { ...entity, ...toPublicEntity(definition, names, row.key, ({ name }) => op.fields[name] ?? null) };
  }
  return { entity, isPending: ops.length > 0 };
}
