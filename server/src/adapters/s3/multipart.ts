import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { assert } from '@terndb/core';
import { failureOf } from './s3-error.ts';

/** S3 wants at least 5 MiB and takes at most 10,000 parts. */
const PART_BYTES = 8 * 2 ** 20;
const MAX_PARTS = 10_000;
/** Copies in memory at once. */
const PARTS_IN_FLIGHT = 3;

export interface MultipartUpload {
  readonly client: S3Client;
  readonly at: { readonly Bucket: string; readonly Key: string };
  readonly parts: readonly Uint8Array[];
  readonly length: number;
  /** Runs a request with retries. */
  readonly attempt: <T>(what: string, work: () => Promise<T>) => Promise<T>;
}

/**
 * Stores one large object; visible as a whole when this resolves. What was uploaded of a failed one is removed if the store still answers;
 * a killed process leaves it behind, which only a life-cycle rule of the bucket removes.
 * The caller looks afterwards whether the object is there: the last request may have been carried out by an attempt that had no answer.
 */
export async function uploadInParts({ client, at, parts, length, attempt }: MultipartUpload): Promise<void> {
  const count = Math.ceil(length / PART_BYTES);
  assert(count <= MAX_PARTS, () => `object ${at.Key}: at most ${MAX_PARTS * PART_BYTES} bytes expected, got ${length}`);
  const { UploadId } = await attempt('begin', () => client.send(new CreateMultipartUploadCommand(at)));
  const upload = { ...at, UploadId: UploadId! };
  try {
    const done = new Array<CompletedPart>(count);
    let next = 0;
    const uploader = async (): Promise<void> => {
      while (next < count) {
        const index = next++;
        const Body = copyRange(parts, index * PART_BYTES, Math.min(length, (index + 1) * PART_BYTES));
        const PartNumber = index + 1;
        const request = { ...upload, PartNumber, Body, ContentLength: Body.length };
        const { ETag } = await attempt(`part ${PartNumber}`, () => client.send(new UploadPartCommand(request)));
        done[index] = { PartNumber, ...(ETag === undefined ? {} : { ETag }) };
      }
    };
    const results = await Promise.allSettled(Array.from({ length: Math.min(PARTS_IN_FLIGHT, count) }, uploader));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    await attempt('end', () => complete(client, upload, done));
  } catch (error) {
    // The failure that is told is the first one.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

async function complete(
  client: S3Client,
  upload: { Bucket: string; Key: string; UploadId: string },
  Parts: CompletedPart[],
): Promise<void> {
  try {
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, IfNoneMatch: '*' }));
  } catch (error) {
    const { status } = failureOf(error);
    // 404: an earlier attempt ended the upload. 412: somebody else stored the same object.
    if (status !== 404 && status !== 412) throw error;
  }
}

function copyRange(parts: readonly Uint8Array[], from: number, to: number): Buffer {
  const copy = Buffer.allocUnsafe(to - from);
  let start = 0;
  for (const part of parts) {
    const begin = Math.max(from, start);
    const end = Math.min(to, start + part.length);
    if (begin < end) copy.set(part.subarray(begin - start, end - start), begin - from);
    start += part.length;
  }
  return copy;
}
