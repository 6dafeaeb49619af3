import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Config } from '../s3-config.ts';

/** Makes the bucket of the tests; another file of them may have made it before. */
export async function ensureBucket({ endpoint, region, accessKeyId, secretAccessKey, bucket }: S3Config): Promise<void> {
  const credentials = { accessKeyId, secretAccessKey: secretAccessKey.reveal() };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket })).catch((error: Error) => {
    if (!error.name.startsWith('BucketAlready')) throw error;
  });
  client.destroy();
}
