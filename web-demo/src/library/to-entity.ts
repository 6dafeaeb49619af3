import type { ParsedPassage } from '../import/parsed.ts';
import type { NewPassage } from './schema.ts';

export function toEntity(parsed: ParsedPassage, importedAt: Date): NewPassage {
  const { addedMs, ...fields } = parsed;
  return { ...fields, added: addedMs === null ? importedAt : new Date(addedMs) };
}
