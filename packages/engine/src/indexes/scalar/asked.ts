import type { FieldDefinition } from '@terndb/core';
import type { ScalarStructure } from './types.ts';

/** What the schema asks for; undefined: what pays. */
export function askedStructure(field: FieldDefinition): ScalarStructure | 'none' | undefined {
  return (field.params as { readonly index?: ScalarStructure | 'none' }).index;
}
