import { holds } from '../auth/principal.ts';
import { type MilvusCall, type MilvusHandler, mustFindNamed, reachesRows, writablePartition } from './call.ts';
import { putRows } from './entities.ts';
import { denied, invalidParameter, MilvusError, missingParameter } from './errors.ts';
import { type ImportFile, type ImportJob, MAX_FILE_NAME, MAX_JOB_FILES, stateOf } from './import-jobs.ts';

const IMPORT_FAILED = 2100;

/** Jobs that read files of the server's import folder. A file that is not there is told by the job, not at its creation, as in Milvus. */
export const IMPORTS: Readonly<Record<string, MilvusHandler>> = {
  create: async (call) => {
    const { imports, body, principal, database } = call;
    const info = mustFindNamed(call);
    const partition = writablePartition(call, info, 'Insert');
    const names = filesOf(body.list('files'));
    mayImport(call, info.name, partition);
    const write = async (rows: readonly unknown[]): Promise<void> => {
      // A job may wait long: what was revoked, dropped or replaced meanwhile is so.
      const now = mustFindNamed(call);
      if (now.collectionId !== info.collectionId) throw new MilvusError(IMPORT_FAILED, `${info.name}: it was made anew since the job was`);
      mayImport(call, now.name, writablePartition(call, now, 'Insert'));
      await putRows({ ...call, node: call.lasting }, now, { rows, partition, isUpsert: false });
    };
    const { id } = imports.create({ database, collection: info.name, partition, subject: principal.subject }, names, write);
    return { data: { jobId: id } };
  },
  list: async (call) => {
    const named = call.body.text('collectionName') ?? '';
    const jobs = call.imports.list().filter((job) => job.database === call.database && (named === '' || job.collection === named));
    const records = jobs
      .filter((job) => reachesRows(call, 'ListImport', job.collection))
      .map((job) => ({ jobId: job.id, collectionName: job.collection, state: stateOf(job), progress: progressOf(job), ...reasonOf(job) }));
    return { data: { records } };
  },
  describe: async (call) => describeJob(call),
  get_progress: async (call) => describeJob(call),
};

/** The guard asks for any partition. 403. */
function mayImport({ principal, database }: MilvusCall, collection: string, partition: string): void {
  if (!holds(principal, 'Import', { database, collection, partition })) throw denied('PrivilegeImport', principal.subject, database);
}

async function describeJob(call: MilvusCall): Promise<{ readonly data: unknown }> {
  const id = call.body.mustText('jobId');
  const job = call.imports.get(id);
  if (job === undefined) throw new MilvusError(IMPORT_FAILED, `importing data failed: job ${id.slice(0, 40)} not found`);
  const { database, collection } = job;
  if (!reachesRows({ ...call, database }, 'GetImportProgress', collection))
    throw denied('PrivilegeGetImportProgress', call.principal.subject, database);
  const rows = sum(job.files, ({ rows: count }) => count);
  const completed = job.files.map(({ completedAtMs }) => completedAtMs ?? 0);
  const state = stateOf(job);
  return {
    data: {
      jobId: id,
      collectionName: collection,
      state,
      progress: progressOf(job),
      importedRows: rows,
      totalRows: rows,
      fileSize: sum(job.files, ({ bytes }) => bytes),
      createTime: new Date(job.createdAtMs).toISOString(),
      completeTime: state === 'Completed' || state === 'Failed' ? new Date(Math.max(...completed)).toISOString() : '',
      details: job.files.map(describeFile),
      ...reasonOf(job),
    },
  };
}

function describeFile({ name, bytes, rows, state, reason, completedAtMs }: ImportFile): Readonly<Record<string, unknown>> {
  return {
    fileName: name,
    fileSize: bytes,
    state,
    progress: state === 'Completed' ? 100 : 0,
    importedRows: rows,
    totalRows: rows,
    completeTime: completedAtMs === undefined ? '' : new Date(completedAtMs).toISOString(),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** A list of lists, as Milvus has it: files of one inner list belong together, which row files need not. */
function filesOf(given: readonly unknown[] | undefined): readonly string[] {
  const names = (given ?? []).flat();
  if (names.length === 0) throw missingParameter('files');
  if (names.length > MAX_JOB_FILES) throw invalidParameter(`files: at most ${MAX_JOB_FILES} expected, got ${names.length}`);
  const isName = (name: unknown): name is string => typeof name === 'string' && name !== '' && name.length <= MAX_FILE_NAME;
  if (names.every(isName)) return names;
  throw invalidParameter(`files: lists of names of at most ${MAX_FILE_NAME} characters expected`);
}

const progressOf = ({ files }: ImportJob): number =>
  Math.floor((100 * files.filter(({ state }) => state === 'Completed').length) / files.length);

function reasonOf({ files }: ImportJob): { readonly reason?: string } {
  const failed = files.find(({ reason }) => reason !== undefined);
  return failed?.reason === undefined ? {} : { reason: failed.reason };
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((total, item) => total + of(item), 0);
