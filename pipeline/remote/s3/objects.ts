/** Objects: read whole or by range, look at, list, write, copy, remove. Lost requests and torn bodies are tried again. */
import { createWriteStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isStormreelError, SourceChangedError } from '../../errors.js';
import { HTTP_LIMITS, type HttpLimits } from '../limits.js';
import { RemoteFault, type RetryOptions, retrying } from '../retry.js';
import { type S3Place, s3Address } from './address.js';
import { openS3, type S3 } from './client.js';
import { s3Failure } from './failure.js';

export interface S3Head {
  size: number;
  /** As the server gives it, in quotes. */
  etag: string;
  mtimeMs: number;
}

/** Size, ETag and time; null when there is no such object. */
export async function headObject(place: S3Place): Promise<S3Head | null> {
  try {
    const {
      ContentLength = 0,
      ETag = '',
      LastModified,
    } = await ask(place, ({ client, library }) =>
      client.send(new library.HeadObjectCommand(objectOf(place))),
    );
    return { size: ContentLength, etag: ETag, mtimeMs: LastModified?.getTime() ?? 0 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export interface ReadOptions extends RetryOptions {
  /** First byte and number of bytes. Default: the whole object. */
  range?: { offset: number; length: number };
  /** SourceChangedError when the object has another ETag. */
  etag?: string;
  /** How long the body may take. */
  limits?: HttpLimits;
}

export async function readObject(place: S3Place, options: ReadOptions = {}): Promise<Buffer> {
  return ask(
    place,
    async (s3) => {
      const { body, length } = await get(s3, place, options);
      return bytesOf(body, length);
    },
    options,
  );
}

/** The first bytes of an object, and what it is, by one request. */
export function openObject(
  place: S3Place,
  { first, ...options }: { first: number; limits?: HttpLimits } & RetryOptions,
): Promise<S3Head & { bytes: Buffer }> {
  const range = { offset: 0, length: Math.max(1, first) };
  return ask(
    place,
    async (s3) => {
      try {
        const { body, size, etag, mtimeMs } = await get(s3, place, { ...options, range });
        const bytes = await bytesOf(body, Math.min(size, range.length));
        return { bytes, size, etag, mtimeMs };
      } catch (error) {
        if (statusOf(error) !== 416) throw error;
        const { ETag = '', LastModified } = await s3.client.send(
          new s3.library.HeadObjectCommand(objectOf(place)),
        );
        return { bytes: Buffer.alloc(0), size: 0, etag: ETag, mtimeMs: LastModified?.getTime() ?? 0 };
      }
    },
    options,
  );
}

/** Writes the object's bytes to a new file. */
export async function downloadObject(place: S3Place, path: string, options: ReadOptions = {}): Promise<void> {
  await ask(
    place,
    async (s3) => {
      const { body, length } = await get(s3, place, options);
      const out = createWriteStream(path);
      await pipeline(body, out, { signal: options.signal });
      if (out.bytesWritten !== length) throw new RemoteFault(`${out.bytesWritten} bytes came of ${length}`);
    },
    options,
  );
}

async function bytesOf(body: Readable, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  const bytes = Buffer.concat(parts);
  if (bytes.length !== length) throw new RemoteFault(`${bytes.length} bytes came of ${length}`);
  return bytes;
}

async function get(
  { client, library }: S3,
  place: S3Place,
  { range, etag, signal, limits = HTTP_LIMITS }: ReadOptions,
) {
  const command = new library.GetObjectCommand({
    ...objectOf(place),
    ...(range && { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
    ...(etag && { IfMatch: etag }),
  });
  try {
    const {
      Body,
      ContentLength = 0,
      ContentRange = '',
      ETag = '',
      LastModified,
    } = await client.send(command, { abortSignal: signal });
    if (etag && ETag && ETag !== etag) throw changed(place);
    const size = Number(/\/(\d+)$/.exec(ContentRange)?.[1] ?? ContentLength);
    const length = range?.length ?? size;
    const body = Body as Readable;
    endInTime(body, length, limits, place);
    if (signal) addAbortSignal(signal, body);
    return { body, length, size, etag: ETag, mtimeMs: LastModified?.getTime() ?? 0 };
  } catch (error) {
    if (statusOf(error) === 412) throw changed(place);
    throw error;
  }
}

/** The library waits for a body as long as now and then a byte comes. */
function endInTime(body: Readable, length: number, limits: HttpLimits, place: S3Place): void {
  const ms = limits.waitMs + (length / limits.bytesPerSecond) * 1_000;
  const late = new RemoteFault(`${s3Address(place)}: the body did not come within ${ms / 1_000} s`);
  const timer = setTimeout(() => body.destroy(late), ms);
  body.once('close', () => clearTimeout(timer));
}

const changed = (place: S3Place): SourceChangedError =>
  new SourceChangedError(`${s3Address(place)} has changed while it was read`, {
    hint: 'run the same stormreel ingest again: it plans the new object',
    fields: { path: s3Address(place) },
  });

export interface S3Entry extends S3Head {
  /** Without the prefix. */
  name: string;
}

/** Objects under `place`, as under a folder, and, unless `deep`, the names of its folders. */
export async function listObjects(
  place: S3Place,
  { deep = true, pageSize = 1000 }: { deep?: boolean; pageSize?: number } = {},
): Promise<{ objects: S3Entry[]; folders: string[] }> {
  const prefix = place.key && `${place.key}/`;
  const objects: S3Entry[] = [];
  const folders: string[] = [];
  let token: string | undefined;
  do {
    const page = await ask(place, ({ client, library }) =>
      client.send(
        new library.ListObjectsV2Command({
          Bucket: place.bucket,
          Prefix: prefix,
          MaxKeys: pageSize,
          ContinuationToken: token,
          ...(!deep && { Delimiter: '/' }),
        }),
      ),
    );
    for (const { Key = '', Size = 0, ETag = '', LastModified } of page.Contents ?? [])
      if (Key !== prefix)
        objects.push({
          name: Key.slice(prefix.length),
          size: Size,
          etag: ETag,
          mtimeMs: LastModified?.getTime() ?? 0,
        });
    for (const { Prefix = '' } of page.CommonPrefixes ?? []) folders.push(Prefix.slice(prefix.length, -1));
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token);
  return { objects, folders };
}

/** Writes the object; with `ifAbsent` false when there is one already. After a lost answer that one may be our own. */
export async function writeObject(
  place: S3Place,
  bytes: Uint8Array | string,
  { ifAbsent = false }: { ifAbsent?: boolean } = {},
): Promise<boolean> {
  return ask(place, async ({ client, library }) => {
    try {
      const body = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
      const put = { ...objectOf(place), Body: body, ...(ifAbsent && { IfNoneMatch: '*' }) };
      await client.send(new library.PutObjectCommand(put));
      return true;
    } catch (error) {
      if (ifAbsent && statusOf(error) === 412) return false;
      throw error; // 409: another writer is at it; to be tried again
    }
  });
}

export async function copyObject(from: S3Place, to: S3Place): Promise<void> {
  const source = `${from.bucket}/${from.key.split('/').map(encodeURIComponent).join('/')}`;
  await ask(from, ({ client, library }) =>
    client.send(new library.CopyObjectCommand({ ...objectOf(to), CopySource: source })),
  );
}

/** Nothing where there is none. */
export async function removeObject(place: S3Place): Promise<void> {
  await ask(place, ({ client, library }) => client.send(new library.DeleteObjectCommand(objectOf(place))));
}

const objectOf = ({ bucket, key }: S3Place) => ({ Bucket: bucket, Key: key });

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } })?.$metadata?.httpStatusCode;

function ask<T>(place: S3Place, work: (s3: S3) => Promise<T>, options?: RetryOptions): Promise<T> {
  return retrying(async () => {
    try {
      return await work(await openS3());
    } catch (error) {
      throw isOurs(error) ? error : s3Failure(error, place);
    }
  }, options);
}

const isOurs = (error: unknown): boolean => isStormreelError(error) || error instanceof RemoteFault;
