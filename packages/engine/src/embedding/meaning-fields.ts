import type { CollectionDefinition } from '@terndb/core';
import type { SearchRequest } from '../database/types.ts';
import { embeddedFieldsOf } from './source-text.ts';

/** The embedded fields that a search by text compares meanings in; empty when it asks for keywords only. Does not check the request. */
export function meaningFieldsOf(
  definition: CollectionDefinition,
  { text, vector, vectors, mode, field }: SearchRequest,
): readonly string[] {
  const isGiven = (value: unknown): boolean => value !== undefined && value !== null;
  if (typeof text !== 'string' || isGiven(vector) || isGiven(vectors) || mode === 'keyword') return [];
  const names = embeddedFieldsOf(definition).map(({ name }) => name);
  if (!isGiven(field) || names.includes(field as string)) return isGiven(field) ? [field as string] : names;
  // A text field is named: its keywords are meant, unless the mode says that meaning counts too.
  return isGiven(mode) ? names : [];
}
