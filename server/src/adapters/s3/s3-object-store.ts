import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { assert, assertObjectName, type Clock, checkObjectRange, DbError, type ObjectInfo, type ObjectStore, type Rng } from '@terndb/core';
import { uploadInParts } from './multipart.ts';
import { readBody } from './read-body.ts';
import { retrying } from './retrying.ts';
import type { S3Config } from './s3-config.ts';
import { failureOf } from './s3-error.ts';
import { systemClock, systemRng } from './system.ts';

/** Larger objects go up in parts: a failed request then repeats one part, not everything. */
const MULTIPART_ABOVE_BYTES = 16 * 2 ** 20;
const CONNECT_TIMEOUT_MS = 3_000;
/** For the answer to begin. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Design: a download URL is short-lived and made anew for whoever still may read. */
const MAX_URL_SECONDS = 300;
const LIST_PAGE = 1_000;

/** Where time and chance come from; the machine's by default. */
export interface S3Options {
  readonly clock?: Clock;
  readonly rng?: Rng;
}

/**
 * Immutable objects in a bucket of S3 or of a gateway that speaks its protocol. Every request is repeated after 5xx, time-outs and unknown
 * outcomes, for half a minute: an object never changes, so that doing it twice is doing it once.
 */
export class S3ObjectStore implements ObjectStore {
  readonly #client: S3Client;
  readonly #config: S3Config;
  readonly #context: { readonly clock: Clock; readonly rng: Rng };

  private constructor(config: S3Config, options: S3Options) {
    this.#config = config;
    this.#context = { clock: options.clock ?? systemClock, rng: options.rng ?? systemRng };
    this.#client = new S3Client({
      endpoint: config.endpoint,
      region: config.region,
      credentials: { accessKeyId: config.accessKeyId, secretAccessKey: config.secretAccessKey.reveal() },
      forcePathStyle: true,
      // Trailing checksums, the SDK's default, break gateways that do not know them yet.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // We try again ourselves: with our bounds, and also where a body breaks off.
      maxAttempts: 1,
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, throwOnRequestTimeout: true },
    });
  }

  /** Asks whether the bucket is there and may be used. @throws STORAGE_UNAVAILABLE. */
  static async open(config: S3Config, options: S3Options = {}): Promise<S3ObjectStore> {
    const store = new S3ObjectStore(config, options);
    try {
      await store.#try(`bucket ${config.bucket}`, () => store.#client.send(new HeadBucketCommand({ Bucket: config.bucket })));
      return store;
    } catch (error) {
      store.close();
      throw error;
    }
  }

  async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    const at = this.#at(name);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (length > MULTIPART_ABOVE_BYTES) return this.#putLarge(name, parts, length);
    const body = Buffer.concat(parts, length);
    const written = await this.#try(`object ${name}`, async () => {
      try {
        await this.#client.send(new PutObjectCommand({ ...at, Body: body, ContentLength: length, IfNoneMatch: '*' }));
        return true;
      } catch (error) {
        if (failureOf(error).status === 412) return false;
        throw error;
      }
    });
    // Somebody was faster, perhaps an earlier attempt of ours.
    if (!written) await this.#checkLength(name, length);
  }

  async head(name: string): Promise<ObjectInfo | undefined> {
    const at = this.#at(name);
    return this.#try(`object ${name}`, async () => {
      const found = await absentOr(this.#client.send(new HeadObjectCommand(at)));
      return found === undefined ? undefined : { name, bytes: found.ContentLength ?? 0 };
    });
  }

  async read(name: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const at = this.#at(name);
    const sound = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
    // HTTP has no empty range.
    if (!sound || length === 0) return this.#readNothing(name, offset, length);
    const Range = `bytes=${offset}-${offset + length - 1}`;
    const found = await this.#try(`object ${name}`, async () => {
      try {
        const answer = await absentOr(this.#client.send(new GetObjectCommand({ ...at, Range })));
        if (answer === undefined) return undefined;
        const body = answer.Body as Readable;
        try {
          checkObjectRange({ name, bytes: totalOf(name, answer.ContentRange) }, offset, length);
          return await readBody(body, length, `object ${name}`);
        } finally {
          body.destroy();
        }
      } catch (error) {
        if (failureOf(error).status === 416) return 'outside';
        throw error;
      }
    });
    return found === 'outside' ? this.#readNothing(name, offset, length) : found;
  }

  async list(prefix: string): Promise<readonly ObjectInfo[]> {
    const found: ObjectInfo[] = [];
    let token: string | undefined;
    do {
      const page = await this.#try(`objects ${prefix}*`, () =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#config.bucket,
            Prefix: this.#config.prefix + prefix,
            MaxKeys: LIST_PAGE,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        ),
      );
      for (const { Key, Size } of page.Contents ?? []) found.push({ name: Key!.slice(this.#config.prefix.length), bytes: Size ?? 0 });
      const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      assert(next === undefined || next !== token, () => `objects ${prefix}*: the same page twice`);
      token = next;
    } while (token !== undefined);
    // Names are ASCII, so that S3's order of bytes is ours; a gateway that sorts otherwise does no harm.
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async delete(name: string): Promise<void> {
    const at = this.#at(name);
    await this.#try(`object ${name}`, () => absentOr(this.#client.send(new DeleteObjectCommand(at))));
  }

  /**
   * A URL that reads the object (whole or by range) without any other credential, for `expiresSeconds` (1 to 300). Does not ask whether the
   * object exists. @throws OPTION_INVALID.
   */
  async downloadUrl(name: string, expiresSeconds: number): Promise<string> {
    const at = this.#at(name);
    if (!Number.isInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > MAX_URL_SECONDS) {
      const message = `expiresSeconds: an integer from 1 to ${MAX_URL_SECONDS} expected, got ${expiresSeconds}`;
      throw new DbError('OPTION_INVALID', message, { details: { option: 'expiresSeconds', maximum: MAX_URL_SECONDS } });
    }
    return getSignedUrl(this.#client, new GetObjectCommand(at), { expiresIn: expiresSeconds });
  }

  /** Ends its connections. */
  close(): void {
    this.#client.destroy();
  }

  async #putLarge(name: string, parts: readonly Uint8Array[], length: number): Promise<void> {
    if ((await this.head(name)) === undefined) {
      const attempt = <T>(what: string, work: () => Promise<T>): Promise<T> => this.#try(`object ${name}, ${what}`, work);
      await uploadInParts({ client: this.#client, at: this.#at(name), parts, length, attempt });
    }
    // Also after our own upload: its last request may have had an unknown outcome.
    await this.#checkLength(name, length);
  }

  async #checkLength(name: string, length: number): Promise<void> {
    const held = await this.head(name);
    if (held === undefined) throw new DbError('STORAGE_UNAVAILABLE', `object ${name}: gone while it was written`, { details: { name } });
    assert(held.bytes === length, () => `object ${name}: ${held.bytes} bytes expected on writing it again, got ${length}`);
  }

  /** For ranges that cannot be asked for: absent, outside, or nothing. */
  async #readNothing(name: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const info = await this.head(name);
    if (info === undefined) return undefined;
    checkObjectRange(info, offset, length);
    assert(length === 0, () => `object ${name}: ${length} bytes from ${offset} refused by the store, which has ${info.bytes}`);
    return new Uint8Array(0);
  }

  #at(name: string): { Bucket: string; Key: string } {
    assertObjectName(name);
    return { Bucket: this.#config.bucket, Key: this.#config.prefix + name };
  }

  #try<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    return retrying(what, this.#context, attempt);
  }
}

async function absentOr<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const { status, code } = failureOf(error);
    // A missing bucket is no missing object.
    if (status === 404 && code !== 'NoSuchBucket') return undefined;
    throw error;
  }
}

/** `bytes 0-9/1234` */
function totalOf(name: string, contentRange: string | undefined): number {
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(contentRange ?? '')?.[1];
  if (total === undefined) throw new Error(`object ${name}: content range expected, got ${contentRange}`);
  return Number(total);
}
