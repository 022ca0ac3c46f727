/** What an S3 server or its library says -> our errors. Credentials are in none of them. */
import { ConfigError, type StormreelError } from '../../errors.js';
import { RemoteFault } from '../retry.js';
import { type S3Place, s3Address } from './address.js';

interface Answer {
  name?: string;
  code?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
}

/** ENOENT for an object that is not there, as from a file system; ConfigError for what a person must change. */
export function s3Failure(error: unknown, place: S3Place): Error {
  const { name = '', code = '', message = '', $metadata } = error as Answer;
  const status = $metadata?.httpStatusCode;
  const address = s3Address(place);
  if (name === 'AbortError') return error as Error;
  if (name === 'NoSuchBucket')
    return settle(address, 'there is no such bucket', 'make the bucket, or correct the address', error);
  if (name === 'NoSuchKey' || name === 'NotFound' || status === 404)
    return Object.assign(new Error(`${address} is not there`, { cause: error }), { code: 'ENOENT' });
  if (name === 'CredentialsProviderError' || /could not load credentials/i.test(message))
    return settle(address, 'there are no credentials', CREDENTIALS, error);
  if (DENIED.has(name) || status === 401 || status === 403)
    return settle(address, `access is denied${DENIED.has(name) ? ` (${name})` : ''}`, CREDENTIALS, error);
  if (/region is missing/i.test(message) || name === 'PermanentRedirect' || status === 301)
    return settle(
      address,
      'the region is missing or another',
      'set AWS_REGION to the region of the bucket',
      error,
    );
  if (name === 'InvalidBucketName')
    return settle(address, 'the server refuses the name of the bucket', 'correct the address', error);
  if (name === 'NotImplemented' || status === 501)
    return settle(
      address,
      'the server does not know what it was asked',
      'docs/storage.md names servers that do',
      error,
    );
  return new RemoteFault(`cannot reach ${address}: ${code || name || status}: ${message}`, { cause: error });
}

const CREDENTIALS =
  'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, of somebody who may read and write there';

const DENIED = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidToken',
  'SignatureDoesNotMatch',
]);

const settle = (address: string, what: string, hint: string, cause: unknown): StormreelError =>
  new ConfigError(`cannot use ${address}: ${what}`, {
    hint,
    cause: nameOf(cause),
    fields: { address, found: what },
  });

/** The library's errors hold the whole request; its name is enough. */
const nameOf = (error: unknown): Error => new Error((error as Answer).name ?? 'unknown');
