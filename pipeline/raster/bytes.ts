/** Bytes of a file by range, checked against its size. */
import { type FileHandle, open } from 'node:fs/promises';
import { BadRasterError } from '../errors.js';
import { unreadable } from './unreadable.js';

export interface ByteSource {
  readonly path: string;
  readonly size: number;
  /** `length` bytes from `offset`; BadRasterError when they reach past the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

const HEAD_BYTES = 65_536;

/** A whole file in memory. */
export function memorySource(path: string, bytes: Uint8Array): ByteSource {
  return {
    path,
    size: bytes.byteLength,
    async read(offset, length) {
      checkRange(path, bytes.byteLength, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** Opens `path`, keeps its first 64 KiB, and hands it to `work`; the file is closed afterwards. */
export async function withFile<T>(path: string, work: (source: ByteSource) => Promise<T>): Promise<T> {
  const file: FileHandle = await open(path, 'r').catch((cause) => {
    throw unreadable(path, cause);
  });
  try {
    const info = await file.stat();
    if (!info.isFile())
      throw new BadRasterError(`${path} is not a file`, { hint: 'leave it out, or name the files in it' });
    const { size } = info;
    const head = new Uint8Array(Math.min(size, HEAD_BYTES));
    await file.read(head, 0, head.length, 0);
    return await work({
      path,
      size,
      async read(offset, length) {
        checkRange(path, size, offset, length);
        if (offset + length <= head.length) return head.subarray(offset, offset + length);
        const out = new Uint8Array(length);
        const { bytesRead } = await file.read(out, 0, length, offset);
        if (bytesRead < length) checkRange(path, offset + bytesRead, offset, length);
        return out;
      },
    });
  } finally {
    await file.close();
  }
}

/** BadRasterError where the range reaches past the end. */
export function checkRange(path: string, size: number, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new BadRasterError(
    `${path} ends early: bytes ${offset} to ${offset + length} are needed, it has ${size}`,
    {
      hint: 'get the file again, or leave it out with --on-bad-frame skip',
      fields: { path, offset, length, size },
    },
  );
}
