/**
 * Reads the files of the next frame while one is decoded: the way to a disk, and longer ones over a network, are then not
 * waited for. What goes wrong is told when the frame's own turn comes and its files are read again.
 *
 *   const ahead = readAhead();
 *   await decodeFrame(frames[0], series, description, { ahead, next: frames[1] });
 *   ahead.close();
 */
import type { FrameSource, PlannedFrame } from '../../schemas/records/index.js';
import { giveBuffer } from '../buffers.js';
import type { DecodeLimits } from './limits.js';
import { isReadWhole, readPlanned } from './plannedFile.js';

export interface ReadAhead {
  /** Files of another frame that nobody took are given up. */
  begin(next: PlannedFrame, limits: DecodeLimits): void;
  /** The bytes of a file that was begun, once; null where it was not, or could not be read. */
  take(source: FrameSource): Promise<Uint8Array | null> | null;
  /** Gives up what nobody took. */
  close(): void;
}

/** Bytes of the files that are held at a time. */
const MOST_BYTES = 2 ** 24;

export function readAhead(): ReadAhead {
  const begun = new Map<string, Promise<Uint8Array | null>>();
  const drop = (key: string) => {
    void begun.get(key)?.then((bytes) => bytes && giveBuffer(bytes.buffer));
    begun.delete(key);
  };
  return {
    begin({ sources }, limits) {
      const files = sources.filter(({ path }) => isReadWhole(path));
      const bytes = files.reduce((sum, { size }) => sum + size, 0);
      const wanted = new Map(bytes > MOST_BYTES ? [] : files.map((file) => [keyOf(file), file]));
      for (const key of begun.keys()) if (!wanted.has(key)) drop(key);
      for (const [key, file] of wanted)
        if (!begun.has(key))
          begun.set(
            key,
            readPlanned(file, limits).catch(() => null),
          );
    },
    take(source) {
      const key = keyOf(source);
      const bytes = begun.get(key) ?? null;
      begun.delete(key);
      return bytes;
    },
    close() {
      for (const key of begun.keys()) drop(key);
    },
  };
}

const keyOf = ({ path, size, mtimeMs }: FrameSource): string => `${path}\0${size}\0${mtimeMs}`;
