import type { MilvusAnswer, MilvusCall } from './call.ts';

/** `explain: true` in a query or a search, which Milvus has not: how it would be answered, in place of the answer. */
export const isExplained = ({ body }: MilvusCall): boolean => body.flag('explain') === true;

/** The engine's plan, block by block; of several vectors that of the first. Keys of the dynamic field are paths into `dynamic_`. */
export async function explained(
  { node }: MilvusCall,
  request: { readonly database: string; readonly collection: string },
): Promise<MilvusAnswer> {
  return { cost: 0, data: await node.explain(request) };
}
