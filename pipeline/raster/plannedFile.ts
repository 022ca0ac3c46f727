/** Files as they were planned: read whole where they still are what they were, and told where they are not. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { FrameSource } from '../../schemas/records/index.js';
import { giveBuffer, takeBytes } from '../buffers.js';
import { BadRasterError, SourceChangedError } from '../errors.js';
import { isRemote } from '../remote/index.js';
import type { DecodeLimits } from './limits.js';
import { unreadable } from './unreadable.js';
import { isZarr } from './zarr/index.js';

/** Others are read by range, or are folders. */
export const isReadWhole = (path: string): boolean =>
  !isRemote(path) && !isZarr(path) && !/\.(nc4?|npy)$/i.test(path);

/** SourceChangedError where size or time of the file differ or it is gone; BadRasterError where it is too large. */
export async function checkPlanned(planned: FrameSource, limits: DecodeLimits): Promise<void> {
  checkSize(planned, limits);
  const now = await stat(planned.path).catch((cause) => {
    throw goneOr(planned.path, cause);
  });
  checkSame(planned, now);
}

/** The bytes of a file, after the same checks; who is done with them may give their buffer back. */
export async function readPlanned(planned: FrameSource, limits: DecodeLimits): Promise<Uint8Array> {
  checkSize(planned, limits);
  const { path, size } = planned;
  // A pipe that took the place of the file must not hold up its opening.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause) => {
    throw goneOr(path, cause);
  });
  const bytes = takeBytes(size);
  try {
    // Both on their way at once: each way through the threads costs as much as reading some hundred kilobytes.
    const [now, read] = await Promise.allSettled([file.stat(), fill(file, path, bytes)]);
    if (now.status === 'rejected') throw now.reason;
    checkSame(planned, now.value);
    if (read.status === 'rejected') throw read.reason;
    return bytes;
  } catch (cause) {
    giveBuffer(bytes.buffer);
    throw unreadable(path, cause as NodeJS.ErrnoException);
  } finally {
    void file.close().catch(() => {}); // nothing was written
  }
}

const MOST_READ = 2 ** 26;

async function fill(file: FileHandle, path: string, bytes: Uint8Array): Promise<void> {
  const { length } = bytes;
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(length - at, MOST_READ), at);
    if (bytesRead === 0)
      throw new SourceChangedError(
        `${path} has changed since it was planned: it ends at byte ${at} of ${length}`,
        { hint: 'run the same stormreel ingest again: it plans the new file', fields: { path } },
      );
    at += bytesRead;
  }
}

function goneOr(path: string, cause: NodeJS.ErrnoException): Error {
  if (cause.code !== 'ENOENT') return unreadable(path, cause);
  return new SourceChangedError(`${path} is gone since it was planned`, {
    hint: 'put it back and run the same stormreel ingest again',
    cause,
    fields: { path },
  });
}

function checkSame({ path, size, mtimeMs }: FrameSource, now: Stats): void {
  if (now.size === size && Math.abs(now.mtimeMs - mtimeMs) <= 1) return;
  throw new SourceChangedError(
    `${path} has changed since it was planned: ${now.size} bytes of ${now.mtime.toISOString()}, not ${size} of ${new Date(mtimeMs).toISOString()}`,
    { hint: 'run the same stormreel ingest again: it plans the new file', fields: { path } },
  );
}

function checkSize({ path, size }: FrameSource, limits: DecodeLimits): void {
  if (size <= limits.fileBytes) return;
  throw new BadRasterError(`${path} has ${size} bytes, ${limits.fileBytes} are allowed`, {
    hint: 'cut it into smaller files first',
    fields: { path, size },
  });
}
