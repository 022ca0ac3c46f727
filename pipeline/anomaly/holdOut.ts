/**
 * Where the split has no validation part worth the name, a quarter of the training part is held out for calibration: of
 * its series, where the test part lies in series of its own, else of its time, so that it is about as far from what is
 * learned as the test part is. That is no promise: places can differ more than the held-out ones show, and `anomalyAlarms`
 * says how often calm test frames are called strange.
 */
import { sectors } from '../labelling/index.js';
import { placesOf } from '../sequences/index.js';
import type { FrameStore } from '../shards/index.js';
import type { ChosenFrames } from './frames.js';

/** Share of the training part that is held out. */
const HELD_OUT = 0.25;
/** Fewer training series than this are not divided. */
const LEAST_SERIES = 4;
/** Fewer frames to learn from than this, and none is held out. */
const LEAST_FIT = 20;

export interface HoldOutInput {
  /** Frames of the training part to learn from, ascending; readable. */
  usable: Uint32Array;
  /** Calm ones of the training part. */
  calm: Uint32Array;
  /** Series that hold test frames. */
  testSeries: ReadonlySet<number>;
  windowLength: number;
  /** What `usable` is, in words. */
  what: string;
}

type Frames = Pick<FrameStore, 'index' | 'description'>;

export function holdOut(frames: Frames, input: HoldOutInput): ChosenFrames {
  const found = bySeries(frames, input) ?? byTime(frames, input);
  if (found.fit.length >= LEAST_FIT) return found;
  const words = `${input.what} of the training part; too few to hold some out`;
  return { fit: input.usable, calibration: new Uint32Array(0), words };
}

/** The last quarter of the series along x, and none that overlaps them to learn from; null where that cannot be. */
function bySeries(frames: Frames, { usable, calm, testSeries, what }: HoldOutInput): ChosenFrames | null {
  const { index, description } = frames;
  const trained = new Set(Array.from(calm, (f) => index.series[f]));
  const isApart = testSeries.size > 0 && [...testSeries].every((id) => !trained.has(id));
  if (!isApart || trained.size < LEAST_SERIES) return null;
  const x = sectors(description, index, trained)?.x;
  const order = [...trained].sort((a, b) => (x ? x[a] - x[b] : 0) || a - b);
  const held = order.slice(Math.floor(order.length * (1 - HELD_OUT)));
  const place = placesOf(description);
  const names = index.seriesNames;
  const away = new Set(
    order.filter((id) => held.every((other) => place(names[id], names[other]) !== 'same')),
  );
  const fit = usable.filter((f) => away.has(index.series[f]));
  if (fit.length < LEAST_FIT) return null;
  const inHeld = new Set(held);
  return {
    fit,
    calibration: calm.filter((f) => inHeld.has(index.series[f])),
    words: `${what} of ${away.size} training series; calibrated on calm frames of ${held.length} others that overlap none of them`,
  };
}

/** The last quarter of the time, one window apart from what is learned; of pictures without times every fourth. */
function byTime(
  { index, description: { stepMs } }: Frames,
  { usable, calm, windowLength, what }: HoldOutInput,
): ChosenFrames {
  if (stepMs === null) {
    const isHeld = (frame: number) => frame % 4 === 3;
    const words = `${what} of the training part but every fourth frame, which calibrates`;
    return { fit: usable.filter((f) => !isHeld(f)), calibration: calm.filter(isHeld), words };
  }
  const times = Float64Array.from(new Set(Array.from(calm, (f) => index.time[f]))).sort();
  const cut = times[Math.floor(times.length * (1 - HELD_OUT))] ?? Infinity;
  const end = cut - windowLength * stepMs;
  return {
    fit: usable.filter((f) => index.time[f] < end),
    calibration: calm.filter((f) => index.time[f] >= cut),
    words: `${what} of the first three quarters of the training time; calibrated on calm frames of its last quarter, one window apart`,
  };
}
