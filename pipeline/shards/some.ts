/** A store of chosen frames that somebody else reads: a few frames with their context, or maps that are never stored. */
import type { DatasetDescription } from '../../schemas/records/index.js';
import { bySeriesAndTime } from './finalise.js';
import type { FrameStore } from './store.js';

export interface SomeFrame {
  series: string;
  /** Milliseconds since 1970, UTC. */
  time: number;
  ok: boolean;
}

/**
 * `frames` in (series, time) order; they are sorted here, so that `frames[i]` of the answer is frame i of the store.
 * `read` gets those frames themselves.
 */
export function someFrames<Frame extends SomeFrame>(
  description: DatasetDescription,
  frames: readonly Frame[],
  read: (frames: Frame[], out: Parameters<FrameStore['read']>[1]) => Promise<void>,
): { store: FrameStore; frames: Frame[] } {
  const sorted = [...frames].sort(bySeriesAndTime);
  const seriesNames = [...new Set(sorted.map(({ series }) => series))];
  const numbers = new Map(seriesNames.map((name, i) => [name, i]));
  const index = {
    length: sorted.length,
    seriesNames,
    series: Uint32Array.from(sorted, ({ series }) => numbers.get(series)!),
    time: Float64Array.from(sorted, ({ time }) => time),
    ok: Uint8Array.from(sorted, ({ ok }) => Number(ok)),
  };
  const store: FrameStore = {
    description,
    index,
    hash: '',
    read: (wanted, out) =>
      read(
        Array.from(wanted, (frame) => sorted[frame]),
        out,
      ),
    close: async () => {},
  };
  return { store, frames: sorted };
}
