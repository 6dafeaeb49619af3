import type { ResolveAnswer, ResolveRequest } from '@terndb/sync';
import type { ServerNode } from '../../node/types.ts';
import { type AccessPrincipal, canRead, canWrite } from '../auth/principal.ts';

/** What a device asks before it subscribes, for one principal. SCHEMA_UNKNOWN, SCHEMA_CONFLICT, SCHEMA_INVALID. */
export function resolveFor(node: ServerNode, principal: AccessPrincipal, request: ResolveRequest): Promise<ResolveAnswer> {
  const { database = 'default' } = principal;
  return node.resolve(request, {
    database,
    schema: principal.schema,
    canRead: (_collection, partition) => canRead(principal, { database, partition }),
    canWrite: (_collection, partition) => canWrite(principal, { database, partition }),
  });
}
