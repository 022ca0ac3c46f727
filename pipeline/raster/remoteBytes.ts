/** Bytes of a GeoTIFF on another machine: whole and hashed when it is small, else only the parts that are read. */
import { createHash } from 'node:crypto';
import type { FrameSource } from '../../schemas/records/index.js';
import { BadRasterError, ConfigError, SourceChangedError } from '../errors.js';
import { etagHash, openRemote, type RemoteFile, type RemoteIdentity, sameFile } from '../remote/index.js';
import { type ByteSource, checkRange, memorySource } from './bytes.js';
import type { DecodeLimits } from './limits.js';

/** Read whole, by one request, and hashed; larger ones by range. */
const WHOLE_BYTES = 64 * 2 ** 20;
/** What a header is read from, mostly. */
const FIRST_BYTES = 65_536;
/** Blocks lie one after the other, so one request brings many. */
const CHUNK_BYTES = 2 ** 20;
const CHUNKS_KEPT = 8;

/** Hands the file at `path` to `work`; only what `work` reads is fetched, beside the first 64 KiB. */
export async function withRemote<T>(path: string, work: (source: ByteSource) => Promise<T>): Promise<T> {
  return work(chunked(await openRemote(path)));
}

/**
 * The bytes of a planned file. `sha256` is that of the whole file, or for one that is not read whole its ETag.
 * SourceChangedError: it is not the one that was planned.
 */
export async function openPlanned(
  planned: FrameSource,
  limits: DecodeLimits,
  { wholeBytes = WHOLE_BYTES }: { wholeBytes?: number } = {},
): Promise<{ source: ByteSource; sha256: string }> {
  const { path, size, mtimeMs } = planned;
  const etag = planned.etag ?? null;
  if (size > limits.fileBytes)
    throw new BadRasterError(`${path} has ${size} bytes, ${limits.fileBytes} are allowed`, {
      hint: 'cut it into smaller files first',
      fields: { path, size },
    });
  const whole = size <= wholeBytes;
  const file = await openRemote(path, { first: whole ? size : FIRST_BYTES, most: wholeBytes }).catch(
    (cause) => {
      throw cause.code === 'ENOENT' ? gone(path, cause) : cause;
    },
  );
  if (!sameFile(file, { size, mtimeMs, etag }))
    throw new SourceChangedError(
      `${path} has changed since it was planned: ${nameOf(file)}, not ${nameOf({ size, mtimeMs, etag })}`,
      { hint: 'run the same stormreel ingest again: it plans the new file', fields: { path } },
    );
  if (whole) {
    const bytes = await file.read(0, size);
    return { source: memorySource(path, bytes), sha256: createHash('sha256').update(bytes).digest('hex') };
  }
  const standsFor = etagHash(file);
  if (standsFor !== null) return { source: chunked(file), sha256: standsFor };
  throw new ConfigError(`cannot read ${path} by range: its server gives no ETag that tells a changed file`, {
    hint: 'download the file and give its folder',
    fields: { path },
  });
}

const gone = (path: string, cause: unknown): SourceChangedError =>
  new SourceChangedError(`${path} is gone since it was planned`, {
    hint: 'put it back and run the same stormreel ingest again',
    cause,
    fields: { path },
  });

const nameOf = ({ size, mtimeMs, etag }: RemoteIdentity): string =>
  `${size} bytes of ${new Date(mtimeMs).toISOString()}${etag ? ` with ETag ${etag}` : ''}`;

/** Reads in chunks of 1 MiB, of which the last are kept. */
function chunked(file: RemoteFile): ByteSource {
  const { address: path, size } = file;
  const kept = new Map<number, Uint8Array>();
  const chunk = async (number: number): Promise<Uint8Array> => {
    const hit = kept.get(number);
    if (hit) return hit;
    const offset = number * CHUNK_BYTES;
    const bytes = await file.read(offset, Math.min(CHUNK_BYTES, size - offset));
    kept.set(number, bytes);
    if (kept.size > CHUNKS_KEPT) kept.delete(kept.keys().next().value!);
    return bytes;
  };
  return {
    path,
    size,
    async read(offset, length) {
      checkRange(path, size, offset, length);
      // A header is small; the first bytes are there already.
      if (length > CHUNK_BYTES || offset + length <= FIRST_BYTES) return file.read(offset, length);
      const out = new Uint8Array(length);
      for (let at = offset; at < offset + length; ) {
        const number = Math.floor(at / CHUNK_BYTES);
        const from = at - number * CHUNK_BYTES;
        const part = (await chunk(number)).subarray(from, from + offset + length - at);
        out.set(part, at - offset);
        at += part.length;
      }
      return out;
    },
  };
}
