/**
 * Windows as batches of numbers, in a given order, into memory that is lent and used again: what a training loop of one's
 * own reads from. With threads, the next batches are read and put together while the caller computes; who does it
 * changes nothing in what is lent or in which order.
 *
 *   const list = windows(segments(store.index, stepMs), { length: 16, stride: 1 });
 *   for await (const { values, shape } of windowBatches(store, list, { batch: 32, threads: 2 })) step(values, shape);
 */
import { ConfigError } from '../errors.js';
import type { FrameStore } from '../shards/index.js';
import type { BatchMaker, MakerOptions } from './batchMaker.js';
import { floatBatches } from './floatBatches.js';
import type { Order } from './order.js';
import { storedBatches } from './storedBatches.js';
import type { Timeline } from './timeline.js';
import type { Windows } from './types.js';

export interface WindowBatch {
  /** `[batch, time, height, width, band]`; `batch` is smaller in the last one. */
  readonly shape: readonly number[];
  /** Physical units, 0 where nothing was observed. Lent until the next batch is asked for. */
  readonly values: Float32Array;
  /** `[batch, time, height, width]`, 1 where the cell was observed; null with `masks: false`. Lent as `values` is. */
  readonly valid: Uint8Array | null;
  /** `[batch, time]`: frame by index; -1 for an empty slot and for the padding in front of short windows. */
  readonly frames: Int32Array;
  /** Position in the order once this batch is done: `from` of a run that goes on. */
  readonly position: number;
  /** Frames read so far. */
  readonly reads: number;
}

export interface WindowBatchOptions {
  /** Windows in a batch. */
  batch: number;
  /** Default: as they come. */
  order?: Order;
  /** Position to begin at; default 0. */
  from?: number;
  /** What the windows count in: which frame lies in a slot; default: slot i is frame i. */
  timeline?: Pick<Timeline, 'frame'>;
  /** Threads that read and copy; default 0. A store without files is read by the calling thread all the same. */
  threads?: number;
  /** Batches made ready while one is lent; default 1 with threads, else 0. */
  ahead?: number;
  /** Whether masks are lent too; default true. */
  masks?: boolean;
  /** Frames that stay in the ring while no batch asks for them; default and least: those of the order's open blocks. */
  ringFrames?: number;
}

/** ConfigError: no whole number of windows a batch, or a position outside the order. Reading: CorruptShardError names the shard. */
export async function* windowBatches(
  store: FrameStore,
  list: Windows,
  options: WindowBatchOptions,
): AsyncGenerator<WindowBatch, void, undefined> {
  const { batch, order = asTheyCome(list, options.batch), from = 0, threads = 0, masks = true } = options;
  const { ahead = threads > 0 ? 1 : 0 } = options;
  refuse({ batch, from, ahead, length: order.length });
  const { width, height } = store.description.grid;
  const bands = store.description.bands.length;
  const maker = makerOf(store, {
    ...ringRoom(store, list, { ...options, order, ahead }),
    ...{ frames: batch * list.windowLength, ahead, threads, masks },
  });
  const framesOf = frameLister(list, order, options.timeline);
  const underWay: { frames: Int32Array; position: number }[] = [];
  let next = from;
  try {
    for (;;) {
      for (; underWay.length <= ahead && next < order.length; next += batch) {
        const position = Math.min(next + batch, order.length);
        const frames = framesOf(next, position);
        maker.begin(frames);
        underWay.push({ frames, position });
      }
      const ready = underWay.shift();
      if (!ready) return;
      const made = await maker.next();
      yield {
        shape: [ready.frames.length / list.windowLength, list.windowLength, height, width, bands],
        ...ready,
        ...made,
      };
    }
  } finally {
    await maker.close();
  }
}

function makerOf(store: FrameStore, options: MakerOptions): BatchMaker {
  const stored = store.origin && storedBatches(store, store.origin, options);
  return stored ?? floatBatches(store, options);
}

const asTheyCome = ({ length }: Windows, batch: number): Order => ({
  length,
  blocks: { blockWindows: batch, openBlocks: 1 },
  at: (i) => i,
});

function refuse({
  batch,
  from,
  ahead,
  length,
}: {
  batch: number;
  from: number;
  ahead: number;
  length: number;
}) {
  const whole = [batch, from, ahead].every(Number.isInteger);
  if (whole && batch >= 1 && ahead >= 0 && from >= 0 && from <= length) return;
  throw new ConfigError(
    `batches of ${batch} windows from position ${from} of ${length} on, ${ahead} ahead, cannot be made`,
    {
      hint: 'give whole numbers: batch >= 1, ahead >= 0, from between 0 and the number of windows',
      fields: { batch, from, ahead, length },
    },
  );
}

/** Frames of the windows at positions `from` .. `to - 1`, `[batch, time]`. */
function frameLister(list: Windows, order: Order, timeline?: Pick<Timeline, 'frame'>) {
  const time = list.windowLength;
  return (from: number, to: number): Int32Array => {
    const frames = new Int32Array((to - from) * time).fill(-1);
    for (let position = from; position < to; position++) {
      const { start, length } = list.at(order.at(position));
      const first = (position - from + 1) * time - length;
      for (let k = 0; k < length; k++) frames[first + k] = timeline ? timeline.frame(start + k) : start + k;
    }
    return frames;
  };
}

/**
 * `capacityFrames`: as many as the batches under way can lend, whatever the order; memory is taken when it is used.
 * `keepFrames`: the open blocks with a quarter more, where one group follows the other, so that the caches of the processor
 * are not filled with frames which no window asks for again.
 */
function ringRoom(
  store: FrameStore,
  list: Windows,
  { batch, order, ahead = 0, ringFrames = 0 }: WindowBatchOptions,
): { capacityFrames: number; keepFrames: number } {
  const underWay = (ahead + 1) * batch * list.windowLength;
  const stride = list.length > 1 ? Math.max(1, list.at(1).start - list.at(0).start) : 1;
  const { blockWindows, openBlocks } = order?.blocks ?? { blockWindows: underWay, openBlocks: 1 };
  const open = openBlocks * (list.windowLength + (blockWindows - 1) * stride);
  const keep = Math.max(ringFrames, Math.ceil(1.25 * open) + ahead * batch * stride);
  const capacityFrames = Math.min(store.index.length, Math.max(keep, underWay));
  return { capacityFrames, keepFrames: Math.min(keep, capacityFrames) };
}
