import type { MilvusAnswer, MilvusCall } from './call.ts';
import { unsupported } from './errors.ts';

const ONE_NODE = 'this server is one node, all of it in __default_resource_group; resource_groups/list and describe tell it';
const WITH_COLLECTION =
  'functions are made with their collection, as those for BM25 are in Milvus: make a collection that has it, and copy the rows';
const NO_SNAPSHOTS = 'copy the data folder of a stopped server, or export from a device';
const NO_EXTERNAL = 'rows are searched where they are stored: insert them, or import files';

/** Routes of Milvus that are not here, those of version 3 among them, and what to use instead. Answered with code 3000. */
export const NOT_HERE: Readonly<Record<string, string>> = {
  'collections/add_function': WITH_COLLECTION,
  'collections/alter_function': WITH_COLLECTION,
  'collections/drop_function': WITH_COLLECTION,
  'collections/struct_fields/add': 'there are no fields of structs: use a JSON field, or a collection for them',
  'roles/alter': 'roles have no description: describe them by their name',
  'jobs/import/commit': 'rows of an import are there as soon as they are read: there is nothing to commit',
  'jobs/import/abort': 'an import that has begun is not taken back: delete its rows by a filter',
  'jobs/snapshot/restore_external': NO_SNAPSHOTS,
  'jobs/snapshot/export': NO_SNAPSHOTS,
  'jobs/snapshot/describe': NO_SNAPSHOTS,
  'jobs/snapshot/list': NO_SNAPSHOTS,
  'jobs/external_collection/refresh': NO_EXTERNAL,
  'jobs/external_collection/describe': NO_EXTERNAL,
  'jobs/external_collection/list': NO_EXTERNAL,
  'resource_groups/create': ONE_NODE,
  'resource_groups/drop': ONE_NODE,
  'resource_groups/alter': ONE_NODE,
  'resource_groups/transfer_replica': ONE_NODE,
  'segments/describe': 'segments have no numbers: collections/get_stats counts rows, GET /metrics tells segments and bytes',
  'quotacenter/describe': 'databases/describe and collections/describe tell quotas and rates, GET /metrics what they have refused',
};

export const refuse =
  (path: string): ((call: MilvusCall) => Promise<MilvusAnswer>) =>
  async () => {
    throw unsupported(`${path} is not supported here: ${NOT_HERE[path]}`);
  };
