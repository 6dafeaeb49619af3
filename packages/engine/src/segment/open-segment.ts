import { type CollectionDefinition, fieldOf, keyFieldOf, type ObjectStore, type ScratchFiles } from '@terndb/core';
import type { Kernel, VectorBlock } from '@terndb/kernel';
import { checksumMismatch, formatInvalid } from '../bytes/damage.ts';
import type { Column } from '../columns/column.ts';
import type { OriginColumn } from '../embedding/origin.ts';
import { servesWithoutRows } from '../indexes/vector-kinds.ts';
import { segmentId } from './build-segment.ts';
import { type CollabColumn, readCollab } from './collab-sections.ts';
import { readColumn } from './column-reader.ts';
import { readFooter } from './footer.ts';
import { detailOf, META_FIELD, NO_FIELD, readHead, readHeadBytes, SECTION, type SectionEntry, type SegmentHeader } from './format.ts';
import { readKeys } from './key-index.ts';
import { loadVectors, storeVectors, type VectorSection } from './load-vectors.ts';
import { readOrigins } from './origin-sections.ts';
import { SealedSegment } from './sealed-segment.ts';
import { Sections } from './sections.ts';
import { SegmentFile } from './segment-file.ts';
import { StampTable } from './stamp-table.ts';
import type { Segment, SegmentExpectation, SegmentInfo } from './types.ts';

export interface OpenSegmentOptions {
  readonly objects: ObjectStore;
  /** Object name. */
  readonly name: string;
  readonly kernel: Kernel;
  /** The collection as it is now: the segment may be older. */
  readonly definition: CollectionDefinition;
  readonly expected?: SegmentExpectation;
  /** Gives way between columns, where others must not wait for all of them. */
  readonly pause?: (() => Promise<void>) | undefined;
  /** Where vectors go that an index finds without them, in place of memory. */
  readonly scratch?: ScratchFiles | undefined;
}

/**
 * Opens a sealed segment: head and footer first, then every other section by range, each checked against its checksum; dense vectors are streamed
 * into kernel memory. Columns are mapped onto the bytes read.
 * @throws CHECKSUM_MISMATCH, FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED, STORAGE_LOST, MEMORY_LIMIT. Nothing stays allocated then.
 */
export async function openSegment(options: OpenSegmentOptions): Promise<Segment> {
  const file = await SegmentFile.open(options);
  const { info, header, entries } = await readSummary(file, options);
  const { sections, vectorEntries } = await readSmallSections(file, entries);
  const keys = readKeys(sections, header.keyType, header.rows);
  await options.pause?.();
  const stamps = new StampTable(sections, header);
  const columns = new Map<string, Column>([[header.keyField, keys.column]]);
  for (const [index, field] of header.fields.entries()) {
    await options.pause?.();
    columns.set(field.name, readColumn(sections, field, index, header.rows));
  }
  await options.pause?.();
  const putSeqs = readPutSeqs(sections, header.rows);
  const origins = new Map<string, OriginColumn>();
  header.fields.forEach((field, index) => {
    const column = field.type === 'vector' ? readOrigins(sections, index, header.rows) : undefined;
    if (column !== undefined) origins.set(field.name, column);
  });
  const collab = new Map<string, CollabColumn>();
  header.fields.forEach((field, index) => {
    const column = field.type === 'collabText' ? readCollab(sections, index, header.rows) : undefined;
    if (column !== undefined) collab.set(field.name, column);
  });
  sections.end();
  const vectors = await loadAllVectors(file, options, header, vectorEntries);
  return new SealedSegment({
    name: options.name,
    info,
    keys,
    keyField: header.keyField,
    stamps,
    columns,
    vectors,
    origins,
    putSeqs,
    collab,
    definition: options.definition,
    kernel: options.kernel,
  });
}

/** Only what head and footer say: the planner's and the manifest's view of a segment, two or three small reads. */
export async function readSegmentInfo(options: Omit<OpenSegmentOptions, 'kernel'>): Promise<SegmentInfo> {
  return (await readSummary(await SegmentFile.open(options), options)).info;
}

interface Summary {
  readonly info: SegmentInfo;
  readonly header: SegmentHeader;
  /** Without the footer. */
  readonly entries: readonly SectionEntry[];
}

async function readSummary(file: SegmentFile, options: Omit<OpenSegmentOptions, 'kernel'>): Promise<Summary> {
  const head = await file.read(0, readHeadBytes(file.prefix, file.bytes, file.what));
  const { header, sections } = readHead(head, file.bytes, file.what);
  const footerEntry = sections[sections.length - 1]!;
  let footerBytes: Uint8Array = new Uint8Array(0);
  await file.readSections([footerEntry], (_entry, bytes) => {
    footerBytes = bytes;
  });
  const footer = readFooter(footerBytes, header, file.what);
  const { keyField, fields, ...summary } = header;
  const stats = new Map([keyField, ...fields.map((field) => field.name)].map((name, index) => [name, footer.stats[index]!]));
  const info: SegmentInfo = { ...summary, id: segmentId(head, footerBytes), bytes: file.bytes, hash: footer.hash, stats };
  checkExpected(file.what, info, options.expected ?? {});
  checkDefinition(file.what, header, options.definition);
  return { info, header, entries: sections.slice(0, -1) };
}

function checkExpected(what: string, info: SegmentInfo, expected: SegmentExpectation): void {
  if (info.rows === 0) throw formatInvalid(what, 'it has no rows');
  if (expected.id !== undefined && expected.id !== info.id)
    throw checksumMismatch(what, `its contents (id ${expected.id} expected, got ${info.id})`);
  for (const key of ['channel', 'rows', 'bytes'] as const) {
    if (expected[key] !== undefined && expected[key] !== info[key])
      throw formatInvalid(what, `${key} ${expected[key]} expected, got ${info[key]}`);
  }
}

/** Fields are never removed or changed, only added: what the segment has, the definition has too. */
function checkDefinition(what: string, header: SegmentHeader, definition: CollectionDefinition): void {
  const key = keyFieldOf(definition);
  if (key.name !== header.keyField || key.params.keyType !== header.keyType) {
    throw formatInvalid(what, `${key.params.keyType} key ${key.name} expected, got ${header.keyType} key ${header.keyField}`);
  }
  for (const { name, type, detail, elements } of header.fields) {
    const field = fieldOf(definition, name) ?? (name === META_FIELD.name ? META_FIELD : undefined);
    const wanted = field === undefined ? undefined : detailOf(field);
    // A vector field whose model gives the dimension has 0 here as long as no row has one.
    const isOther = field?.type === 'vector' && field.params.elements !== elements;
    if (field?.type !== type || isOther || (wanted !== undefined && detail !== wanted && !(type === 'vector' && detail === 0))) {
      throw formatInvalid(
        what,
        `field ${name}: ${field?.type ?? 'no such field'} (${wanted ?? 'any'}) expected, got ${elements ?? ''}${type} (${detail})`,
      );
    }
  }
}

/** Null where the collection has no collab fields, or the file is of version 1. */
function readPutSeqs(sections: Sections, rows: number): Float64Array | null {
  if (!sections.has(SECTION.PUT_SEQS, NO_FIELD)) return null;
  const seqs = sections.float64(SECTION.PUT_SEQS, NO_FIELD, rows);
  for (const seq of seqs) if (!Number.isSafeInteger(seq) || seq < 0) throw sections.invalid(`a sequence number expected, got ${seq}`);
  return seqs;
}

async function readSmallSections(
  file: SegmentFile,
  entries: readonly SectionEntry[],
): Promise<{ sections: Sections; vectorEntries: SectionEntry[] }> {
  const bytes = new Map<number, Uint8Array>();
  const small = entries.filter((entry) => entry.kind !== SECTION.VECTORS);
  await file.readSections(small, (entry, section) => {
    bytes.set(Sections.keyOf(entry.kind, entry.field), section);
  });
  return { sections: new Sections(file.what, bytes), vectorEntries: entries.filter((entry) => entry.kind === SECTION.VECTORS) };
}

async function loadAllVectors(
  file: SegmentFile,
  { kernel, definition, scratch }: OpenSegmentOptions,
  header: SegmentHeader,
  entries: readonly SectionEntry[],
): Promise<Map<string, VectorBlock>> {
  const vectors = new Map<string, VectorBlock>();
  try {
    for (const entry of entries) {
      const field = header.fields[entry.field];
      if (field?.type !== 'vector') throw formatInvalid(file.what, `field ${entry.field} has vectors, its type is ${field?.type}`);
      const section: VectorSection = { entry, dim: field.detail, rows: header.rows, elements: field.elements ?? 'float32' };
      const isStored = scratch !== undefined && servesWithoutRows(fieldOf(definition, field.name), header.rows);
      const stored = isStored ? await storeVectors(file, kernel, { ...section, scratch }) : undefined;
      vectors.set(field.name, stored ?? (await loadVectors(file, kernel, section)));
    }
    return vectors;
  } catch (error) {
    for (const block of vectors.values()) block.free();
    throw error;
  }
}
