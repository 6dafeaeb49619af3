import type { FieldDefinition } from '@terndb/core';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import type { Body } from './body.ts';
import { invalidParameter } from './errors.ts';

/**
 * BM25 functions. In Milvus one turns a VarChar into a sparse field that is searched by text; here the text field has an inverted index of its own,
 * so the output field is a name for it: it holds no values, and a search of it is a keyword search.
 */
export interface Bm25Function {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly description: string;
}

const BM25_TYPE = 1;

/** The functions of a schema. Code 1100 for other types, and for what does not fit the fields. */
export function wantedFunctions(schema: Body, isText: (field: string) => boolean): readonly Bm25Function[] {
  const items = schema.list('functions') ?? [];
  if (items.length === 0) return [];
  return schema.bodies('functions').map((item) => {
    const name = item.mustText('name');
    const type = item.mustText('type');
    if (type !== 'BM25')
      throw invalidParameter(`function ${name}: type ${type} is not supported here, BM25 is: send vectors, or have devices embed the text`);
    const [input, ...moreInputs] = item.texts('inputFieldNames') ?? [];
    const [output, ...moreOutputs] = item.texts('outputFieldNames') ?? [];
    if (input === undefined || output === undefined || moreInputs.length > 0 || moreOutputs.length > 0)
      throw invalidParameter(`function ${name}: BM25 function should have exactly one input field and one output field`);
    if (!isText(input))
      throw invalidParameter(`function ${name}: BM25 function input field ${input} must be a VarChar with enable_analyzer`);
    return { name, input, output, description: item.text('description') ?? '' };
  });
}

export function functionsOf({ properties }: CatalogCollectionInfo): readonly Bm25Function[] {
  return JSON.parse(properties['milvus.functions'] ?? '[]') as readonly Bm25Function[];
}

export function describeFunction({ name, input, output, description }: Bm25Function, id: number): Readonly<Record<string, unknown>> {
  return { name, description, type: BM25_TYPE, id, inputFieldNames: [input], outputFieldNames: [output], params: [] };
}

/** As the sparse field that Milvus would have. */
export function describeOutput({ output }: Bm25Function, id: number): Readonly<Record<string, unknown>> {
  const no = { autoId: false, clusteringKey: false, nullable: false, partitionKey: false, primaryKey: false };
  return { ...no, description: '', id, name: output, type: 'SparseFloatVector', isFunctionOutput: true };
}

/** The text field that a function's output stands for. */
export function inputOf(info: CatalogCollectionInfo, output: string): FieldDefinition | undefined {
  const input = functionsOf(info).find((candidate) => candidate.output === output)?.input;
  return info.definition.fields.find(({ name }) => name === input);
}
