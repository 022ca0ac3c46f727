/** The S3 library, loaded when the first object is asked for. Region, credentials and profiles are its own matter. */
import type { S3Client } from '@aws-sdk/client-s3';
import { remoteSettings } from '../settings.js';

type Library = typeof import('@aws-sdk/client-s3');

export interface S3 {
  library: Library;
  client: S3Client;
}

const opened = new Map<string, Promise<S3>>();

/** One client for each server. */
export function openS3(): Promise<S3> {
  const { endpoint, region } = remoteSettings();
  const key = `${endpoint} ${region}`;
  const known = opened.get(key) ?? open(endpoint, region);
  opened.set(key, known);
  return known;
}

async function open(endpoint: string | null, region: string | null): Promise<S3> {
  // It warns Node 20 of its own later versions; ours is pinned.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const library = await import('@aws-sdk/client-s3');
  const client = new library.S3Client({
    ...(region !== null && { region }),
    ...(endpoint !== null && {
      endpoint,
      forcePathStyle: true, // a bucket is rarely a host name there
      region: region ?? 'us-east-1',
    }),
    maxAttempts: 1, // `retrying` does it, bodies included
    // Other servers do not all know the newer checksums; the signature covers the bytes, and each shard has its sha256.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: 60_000,
      throwOnRequestTimeout: true,
      socketTimeout: 30_000,
    },
  });
  return { library, client };
}
