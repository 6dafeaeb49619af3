import type { SchemaDefinition } from '../schema/definition.ts';
import { checkAnalyzer } from './analyzer-definition.ts';

/**
 * The analyzers of a canonical schema, which `checkCollection` takes as data: whoever tokenises calls this before it takes the schema.
 * SCHEMA_INVALID naming collection and field.
 */
export function checkAnalyzers({ collections }: SchemaDefinition): void {
  for (const [collection, { fields }] of Object.entries(collections)) {
    for (const field of fields) {
      if (field.type === 'text' || field.type === 'collabText')
        checkAnalyzer(field.params.analyzer, `${collection}.${field.name}: analyzer`);
    }
  }
}
