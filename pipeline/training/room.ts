/**
 * How streamed training divides its memory: the ring of frames, the channels of two batches, and of compressed datasets
 * what readers keep decompressed. What does not fit is refused before a frame is read.
 */
import { frameSize } from '../../schemas/arrow/index.js';
import { ConfigError } from '../errors.js';
import { type FrameStore, keptBytes } from '../shards/index.js';

export interface RoomOptions {
  channels: number;
  /** Number of frames that will be asked for. */
  frames: number;
  /** Most frames in a batch. */
  atOnce: number;
  budgetBytes: number;
  /** Reader threads; the store's own reader stays beside them. */
  threads: number;
}

const MIB = 2 ** 20;

/** Frames that the ring may hold: two batches or more, or all there are. ConfigError where that does not fit. */
export function ringRoom(store: FrameStore, options: RoomOptions): number {
  const { channels, frames, atOnce, budgetBytes, threads } = options;
  const { cells, values } = frameSize(store.description);
  const held = values * 4 + cells; // numbers and mask
  const computed = cells * channels * 4;
  const readers = store.origin ? threads + 1 : 0;
  const inflated = readers * keptBytes(store.description, store.index.length);
  const fixed = inflated + 2 * atOnce * computed;
  const least = Math.min(2 * atOnce, frames);
  const room = Math.floor((budgetBytes - fixed) / held);
  if (room >= least) return Math.min(room, frames);
  throw tooSmall(fixed + least * held, options, {
    fitting: Math.floor((budgetBytes - inflated) / (2 * (held + computed))),
  });
}

/** `fitting`: frames of a batch that would fit. */
function tooSmall(needed: number, { atOnce, budgetBytes }: RoomOptions, { fitting }: { fitting: number }) {
  const needMiB = Math.ceil(needed / MIB);
  const fewer = `, or training.batch and training.windowLength so that their product is ${fitting} or less`;
  return new ConfigError(
    `two batches of ${atOnce} frames need ${needMiB} MiB, and training.memoryMiB allows ${Math.floor(budgetBytes / MIB)}`,
    {
      hint: `set training.memoryMiB to ${needMiB} or more${fitting >= 1 ? fewer : ''}`,
      fields: { needed, budgetBytes, atOnce },
    },
  );
}
