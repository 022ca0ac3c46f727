/** `s3://bucket/key` and back. */
import { ConfigError } from '../../errors.js';

export interface S3Place {
  bucket: string;
  /** Without slashes at its ends; empty for the bucket itself. */
  key: string;
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

export const isS3 = (address: string): boolean => /^s3:\/\//i.test(address);

/** ConfigError for what is no such address. */
export function parseS3(address: string): S3Place {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(address) ?? [];
  const parts = rest.split('/').filter(Boolean);
  const odd = parts.some((part) => part === '.' || part === '..' || /\p{Cc}/u.test(part));
  if (BUCKET.test(bucket) && !odd) return { bucket, key: parts.join('/') };
  // A name and a password before an @ are not shown.
  throw new ConfigError(
    `cannot use ${address.replace(/\/\/.*@/s, '//...@')}: it does not name a bucket and a prefix`,
    {
      hint: 'write s3://BUCKET/PREFIX; credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_PROFILE, ...)',
    },
  );
}

export const s3Address = ({ bucket, key }: S3Place): string => `s3://${bucket}${key && `/${key}`}`;
