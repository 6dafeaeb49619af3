import { type CollectionDefinition, type FieldDefinitionOf, hash64, type StoredValue, utf8Encode } from '@terndb/core';
import { SOURCE_HASH_BYTES } from './origin.ts';

/** A vector field that is filled from text. */
export type EmbeddedField = FieldDefinitionOf<'vector'> & { readonly params: { readonly embed: readonly string[] } };

/** Between the fields of one text: a paragraph's end, which no tokenizer joins words across. */
const SEPARATOR = '\n\n';
/** Two independent halves make one hash. */
const SECOND_SEED = 0x7465726e;

export function isEmbeddedField(field: { readonly type: string; readonly params: object }): field is EmbeddedField {
  return field.type === 'vector' && (field as FieldDefinitionOf<'vector'>).params.embed !== null;
}

export function embeddedFieldsOf(definition: CollectionDefinition): readonly EmbeddedField[] {
  return definition.fields.filter(isEmbeddedField);
}

/** The text of a row that its vector is made from: the named fields in their order, empty ones left out. Empty: there is nothing to embed. */
export function sourceTextOf(field: EmbeddedField, read: (name: string) => StoredValue): string {
  const parts: string[] = [];
  for (const name of field.params.embed) {
    const value = read(name);
    if (typeof value === 'string' && value.trim() !== '') parts.push(value);
  }
  return parts.join(SEPARATOR);
}

/** 16 bytes that say which text a vector was made from: two 64-bit hashes of its UTF-8. Tells edits, not adversaries. */
export function sourceHashOf(text: string): Uint8Array {
  const bytes = utf8Encode(text);
  const out = new Uint8Array(SOURCE_HASH_BYTES);
  const view = new DataView(out.buffer);
  [hash64(bytes), hash64(bytes, SECOND_SEED)].forEach(({ lo, hi }, index) => {
    view.setUint32(index * 8, lo, true);
    view.setUint32(index * 8 + 4, hi, true);
  });
  return out;
}

export function equalHashes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
