import { toPublicEntity } from '@terndb/core';
import type { EntityRecord } from '../database/types.ts';
import type { ReadContext, RowRef } from './context.ts';
import type { Selection } from './request.ts';

/** Reads the selected fields of a row as a public entity. */
export function entityReader({ definition, onEntity }: ReadContext, select: Selection): (row: RowRef) => EntityRecord {
  return ({ key, block, offset }) => {
    const entity = toPublicEntity(definition, select.fields, key, (field) => block.valueAt(field.name, offset));
    onEntity?.(entity);
    return entity;
  };
}
