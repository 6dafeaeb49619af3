import type { MilvusHandler } from './call.ts';
import { MilvusError, unsupported } from './errors.ts';

const GROUP = '__default_resource_group';
const GROUP_UNKNOWN = 300;

/** One node, one replica of everything: what is Milvus' default group. Changing that is refused (not-here.ts). */
export const RESOURCE_GROUPS: Readonly<Record<string, MilvusHandler>> = {
  list: async () => ({ data: [GROUP] }),
  describe: async ({ body }) => {
    const name = body.mustText('name');
    if (name !== GROUP) throw new MilvusError(GROUP_UNKNOWN, `resource group not found[rg=${name.slice(0, 255)}]`);
    const count = { node_num: 1 };
    return {
      data: undefined,
      resource_group: {
        name,
        capacity: 1,
        num_available_node: 1,
        num_loaded_replica: {},
        num_outgoing_node: {},
        num_incoming_node: {},
        config: { requests: count, limits: count },
        nodes: [],
      },
    };
  },
};

/** What databases, collections and loads say of replicas and groups, and whether one node can do it. */
const REPLICAS: readonly string[] = ['database.replica.number', 'collection.replica.number', 'replicaNumber', 'replica_number'];
const GROUPS: readonly string[] = ['database.resource_groups', 'collection.resource_groups', 'resourceGroups', 'resource_groups'];

/** Code 3000 for more than one replica and for other groups than the default one. */
export function checkReplicas(given: ReadonlyMap<string, string>): void {
  for (const [name, value] of given) {
    const isTooMuch = REPLICAS.includes(name) ? Number(value) > 1 : GROUPS.includes(name) && !namesDefault(value);
    if (isTooMuch) throw unsupported(`${name}: one replica in ${GROUP} expected, got ${value.slice(0, 80)}: this server is one node`);
  }
}

const namesDefault = (value: string): boolean =>
  value
    .replaceAll(/[[\]"\s]/g, '')
    .split(',')
    .every((name) => name === '' || name === GROUP);
