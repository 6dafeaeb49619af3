import type { NodeRequest, ServerNode } from '../../node/types.ts';
import { withMethods } from '../../node/with-methods.ts';
import type { AnswerBudget } from './answer-budget.ts';
import type { Deadline } from './deadline.ts';

/**
 * The node as one request may use it: each read has what is left of the request's time and of its answer's bytes, and nothing begins when the time is
 * over. What has begun to be written is not taken back.
 */
export function boundedNode(node: ServerNode, deadline: Deadline, budget: AnswerBudget): ServerNode {
  const { signal } = deadline;
  const onEntity = (entity: Parameters<AnswerBudget['take']>[0]): void => budget.take(entity);
  const read =
    <Q extends object, R>(run: (request: NodeRequest<Q>) => Promise<R>) =>
    async (request: NodeRequest<Q>): Promise<R> => {
      await deadline.begin();
      return run({ ...request, timeoutMs: deadline.leftMs(), signal, onEntity });
    };
  const begin =
    <A extends readonly unknown[], R>(run: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await deadline.begin();
      return run(...args);
    };
  return withMethods(node, {
    get: read((request) => node.get(request)),
    query: read((request) => node.query(request)),
    count: read((request) => node.count(request)),
    aggregate: read((request) => node.aggregate(request)),
    search: read((request) => node.search(request)),
    explain: read((request) => node.explain(request)),
    write: begin((request) => node.write(request)),
    flush: begin((database, collection) => node.flush(database, collection)),
    compact: begin((database, collection) => node.compact(database, collection)),
  });
}
