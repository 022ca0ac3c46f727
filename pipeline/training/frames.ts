/**
 * Frames as tensors of input channels. Where all of them fit in memory they reach the backend once and batches are
 * gathered there; otherwise each batch is read, computed and handed over.
 */
import { type ChannelStatistics, channelCount, computeChannels } from '../channels/index.js';
import type { OnProgress } from '../progress.js';
import { type FrameLoan, frameRing } from '../sequences/index.js';
import type { FrameBuffers, FrameStore } from '../shards/index.js';
import { gather, gathersWell, type Tensor, tensor } from '../tensor/index.js';
import { ringRoom } from './room.js';

export interface FrameTensors {
  /** True when the frames lie in memory. */
  readonly resident: boolean;
  /** Frames that the ring holds; null where there is none. */
  readonly ringFrames: number | null;
  /** `[frames, height, width, channels]`, to be freed by the caller. */
  take(frames: Int32Array): Promise<Tensor>;
  /** Begins to read what the next `take` will ask for; nothing where that brings nothing. */
  ahead(frames: Int32Array): void;
  close(): Promise<void>;
}

export interface FrameTensorOptions {
  /** Frames that will be asked for. */
  frames: ArrayLike<number>;
  /** Most bytes of channels to hold, or of ring and buffers together; default 1 GiB. */
  budgetBytes?: number;
  /** Most frames in one `take` that was announced; the ring of the streamed form holds at least twice as many. */
  atOnce: number;
  /** Threads that read ahead in the streamed form; default 0. */
  threads?: number;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

const BUDGET_BYTES = 2 ** 30;
/** Bytes of band values read in one go. */
const CHUNK_BYTES = 32 * 2 ** 20;

/** ConfigError: frames that must be streamed, and a budget without room for two batches. */
export async function frameTensors(
  store: FrameStore,
  statistics: ChannelStatistics,
  options: FrameTensorOptions,
): Promise<FrameTensors> {
  const { height, width } = store.description.grid;
  const frameBytes = height * width * channelCount(statistics) * 4;
  const fits = options.frames.length * frameBytes <= (options.budgetBytes ?? BUDGET_BYTES);
  return fits ? residentFrames(store, statistics, options) : ringFrames(store, statistics, options);
}

/** Reads for every `take`; nothing is held but one pooled buffer. */
export function streamedFrames(store: FrameStore, statistics: ChannelStatistics): FrameTensors {
  const reader = channelReader(store, statistics);
  return {
    resident: false,
    ringFrames: null,
    async take(frames) {
      const out = new Float32Array(frames.length * reader.frameSize);
      await reader.read(frames, out);
      return tensor(out, [frames.length, ...reader.shape]);
    },
    ahead: () => {},
    close: async () => {},
  };
}

/** Streams through the ring, so that windows which share frames decode them once. */
function ringFrames(
  store: FrameStore,
  statistics: ChannelStatistics,
  { frames: all, atOnce, budgetBytes = BUDGET_BYTES, threads = 0 }: FrameTensorOptions,
): FrameTensors {
  const { grid, bands } = store.description;
  const cells = grid.height * grid.width;
  const size = cells * bands.length;
  const channels = channelCount(statistics);
  const room = { channels, frames: all.length, atOnce, budgetBytes, threads };
  const capacityFrames = ringRoom(store, room);
  const ring = frameRing(store, { capacityFrames, threads });
  let next: { frames: Int32Array; loan: Promise<FrameLoan> } | null = null;

  /** The loan that was begun ahead, if it is for these frames. */
  async function loanOf(frames: Int32Array): Promise<FrameLoan> {
    const begun = next;
    if (begun && sameFrames(begun.frames, frames)) {
      next = null;
      return begun.loan;
    }
    await giveBack();
    return ring.borrow(frames);
  }

  async function giveBack(): Promise<void> {
    const begun = next;
    next = null;
    await begun?.loan.then((loan) => loan.release()).catch(() => {}); // its fault is told to who takes it
  }

  /** Channels of frames that the ring can lend together. */
  async function compute(frames: Int32Array, to: Float32Array): Promise<void> {
    const loan = await loanOf(frames);
    loan.rows.forEach((row, i) => {
      const values = ring.values.subarray(row * size, (row + 1) * size);
      const valid = ring.valid.subarray(row * cells, (row + 1) * cells);
      const time = Float64Array.of(store.index.time[frames[i]]);
      const part = to.subarray(i * cells * channels, (i + 1) * cells * channels);
      computeChannels(statistics, { values, valid, time, count: 1 }, part);
    });
    loan.release();
  }

  return {
    resident: false,
    ringFrames: ring.capacity,
    async take(frames) {
      const numbers = frames.length * cells * channels;
      const to = new Float32Array(numbers); // a backend may read it later, so it is not used again
      for (let start = 0; start < frames.length; start += ring.capacity)
        await compute(frames.subarray(start, start + ring.capacity), to.subarray(start * cells * channels));
      return tensor(to, [frames.length, grid.height, grid.width, channels]);
    },
    ahead(frames) {
      if (ring.threads === 0 || next !== null || frames.length > atOnce) return;
      next = { frames, loan: ring.borrow(frames) };
      next.loan.catch(() => {});
    },
    async close() {
      await giveBack();
      await ring.close();
    },
  };
}

function sameFrames(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((frame, i) => frame === b[i]);
}

async function residentFrames(
  store: FrameStore,
  statistics: ChannelStatistics,
  { frames, onProgress, signal }: FrameTensorOptions,
): Promise<FrameTensors> {
  const reader = channelReader(store, statistics);
  const place = new Int32Array(store.index.length).fill(-1);
  const all = new Float32Array(frames.length * reader.frameSize);
  const chunk = reader.framesIn(CHUNK_BYTES);
  for (let start = 0; start < frames.length; start += chunk) {
    signal?.throwIfAborted();
    const some = Int32Array.from(
      { length: Math.min(chunk, frames.length - start) },
      (_, i) => frames[start + i],
    );
    await reader.read(some, all.subarray(start * reader.frameSize));
    some.forEach((frame, i) => {
      place[frame] = start + i;
    });
    onProgress?.({ stage: 'read', done: start + some.length, total: frames.length, unit: 'frames' });
  }
  const hold = gathersWell() ? heldByBackend : heldHere;
  return hold(all, [frames.length, ...reader.shape], (frame) => place[frame]);
}

function heldByBackend(all: Float32Array, shape: number[], place: (frame: number) => number): FrameTensors {
  const held = tensor(all, shape);
  return {
    resident: true,
    ringFrames: null,
    take: async (wanted) => gather(held, wanted.map(place)),
    ahead: () => {},
    close: async () => held.dispose(),
  };
}

/** For a backend that copies rows one number at a time. */
function heldHere(all: Float32Array, [, ...shape]: number[], place: (frame: number) => number): FrameTensors {
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    resident: true,
    ringFrames: null,
    async take(wanted) {
      const out = new Float32Array(wanted.length * size);
      wanted.forEach((frame, i) => {
        out.set(all.subarray(place(frame) * size, (place(frame) + 1) * size), i * size);
      });
      return tensor(out, [wanted.length, ...shape]);
    },
    ahead: () => {},
    close: async () => {},
  };
}

/** Reads frames and computes their channels with buffers that grow to the largest request and are used again. */
function channelReader(store: FrameStore, statistics: ChannelStatistics) {
  const { grid, bands } = store.description;
  const cells = grid.height * grid.width;
  const shape = [grid.height, grid.width, channelCount(statistics)];
  let buffers: FrameBuffers = { values: new Float32Array(0), valid: new Uint8Array(0) };
  return {
    shape,
    frameSize: cells * shape[2],
    framesIn: (bytes: number) => Math.max(1, Math.floor(bytes / (cells * bands.length * 4))),
    async read(frames: Int32Array, out: Float32Array) {
      const count = frames.length;
      if (buffers.valid.length < count * cells)
        buffers = {
          values: new Float32Array(count * cells * bands.length),
          valid: new Uint8Array(count * cells),
        };
      await store.read(frames, buffers);
      const values = buffers.values.subarray(0, count * cells * bands.length);
      const valid = buffers.valid.subarray(0, count * cells);
      const time = Float64Array.from(frames, (frame) => store.index.time[frame]);
      computeChannels(statistics, { values, valid, time, count }, out);
    },
  };
}
