import type { ResolveAnswer, ResolveRequest } from '@terndb/sync';
import type { ServerNode } from '../../node/types.ts';
import { type AccessPrincipal, canRead, canWrite, holds } from '../auth/principal.ts';

/** What a device asks before it subscribes, for one principal. SCHEMA_UNKNOWN, SCHEMA_CONFLICT, SCHEMA_INVALID. */
export function resolveFor(node: ServerNode, principal: AccessPrincipal, request: ResolveRequest): Promise<ResolveAnswer> {
  const { database = 'default' } = principal;
  return node.resolve(request, {
    database,
    schema: holds(principal, 'CreateCollection', { database }) && holds(principal, 'AddCollectionField', { database }),
    canRead: (collection, partition) => canRead(principal, { database, collection, partition }),
    canWrite: (collection, partition) => canWrite(principal, { database, collection, partition }),
  });
}
