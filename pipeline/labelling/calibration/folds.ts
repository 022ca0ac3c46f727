/** Blocked cross-validation over the non-test frames: by time with embargo, or by place where the split is by series. */
import { createHash } from 'node:crypto';
import { ConfigError } from '../../errors.js';
import type { LabelTable } from '../../labels/index.js';
import { EMBARGO, NONE, placesOf, type Split, TEST, TRAIN, VALIDATION } from '../../sequences/index.js';
import type { FrameStore } from '../../shards/index.js';
import { sectors } from '../intervals/sectors.js';

type Frames = Pick<FrameStore, 'description' | 'index' | 'hash'>;

/**
 * One split a fold: its held-out frames are TEST, what trains is TRAIN, the rest EMBARGO or NONE. The outer test part
 * is in none of them. Fewer folds than asked for where there are fewer series. ConfigError: nothing to hold out.
 */
export function calibrationFolds(store: Frames, labels: LabelTable, split: Split, folds: number): Split[] {
  const open = Uint8Array.from(split.part, (p) => (p === TRAIN || p === VALIDATION ? 1 : 0));
  const parts = split.config.by === 'series' ? bySeries(store, open, folds) : null;
  const made = parts ?? byTime(store, labels, open, folds, split.embargoMs);
  const usable = made.filter((part) => part.includes(TRAIN) && part.includes(TEST));
  if (usable.length < 2)
    throw new ConfigError(`cannot calibrate out of fold: ${usable.length} of ${folds} folds can be trained`, {
      hint: 'set labelling.calibrationFolds: 0, or give the training part more time or series',
      fields: { folds, usable: usable.length },
    });
  return usable.map((part, fold) => ({
    part,
    config: split.config,
    hash: createHash('sha256').update(`${split.hash} fold ${fold} `).update(part).digest('hex'),
    embargoMs: split.embargoMs,
    leaky: split.leaky,
    notes: [`fold ${fold + 1} of ${usable.length} for calibration`],
  }));
}

/** Equal numbers of frames in the order of time; an event belongs wholly to the fold it begins in. */
function byTime(
  { index }: Frames,
  labels: LabelTable,
  open: Uint8Array,
  folds: number,
  embargoMs: number,
): Uint8Array[] {
  const frames = Uint32Array.from(open.keys()).filter((f) => open[f] === 1);
  const inTime = frames.slice().sort((a, b) => index.time[a] - index.time[b] || a - b);
  const starts = Array.from(
    { length: folds },
    (_, k) => index.time[inTime[Math.floor((k * inTime.length) / folds)]],
  );
  const foldAt = (time: number) =>
    Math.max(
      0,
      starts.findLastIndex((start) => time >= start),
    );
  const ofEvent = new Map<number, number>();
  const fold = new Int32Array(index.length).fill(-1);
  for (const frame of frames) {
    const event = labels.event[frame];
    const own = foldAt(index.time[frame]);
    if (event >= 0 && !ofEvent.has(event)) ofEvent.set(event, own);
    fold[frame] = ofEvent.get(event) ?? own;
  }
  return starts.map((_, held) => {
    const times = Float64Array.from(
      [...frames].filter((f) => fold[f] === held),
      (f) => index.time[f],
    ).sort();
    return Uint8Array.from(open, (isOpen, f) => {
      if (!isOpen) return NONE;
      if (fold[f] === held) return TEST;
      return nearest(times, index.time[f]) < embargoMs ? EMBARGO : TRAIN;
    });
  });
}

/** Groups of neighbouring series; those whose place meets the held-out ones' are left out. Null for one series. */
function bySeries(store: Frames, open: Uint8Array, folds: number): Uint8Array[] | null {
  const { index, description } = store;
  const used = new Set<number>();
  for (let f = 0; f < index.length; f++) if (open[f]) used.add(index.series[f]);
  if (used.size < 2) return null;
  const x = sectors(description, index, used)?.x;
  const order = [...used].sort((a, b) => (x ? x[a] - x[b] : 0) || a - b);
  const count = Math.min(folds, used.size);
  const place = placesOf(description);
  const name = (s: number) => index.seriesNames[s];
  return Array.from({ length: count }, (_, k) => {
    const from = Math.floor((k * order.length) / count);
    const held = order.slice(from, Math.floor(((k + 1) * order.length) / count));
    const role = new Map(
      order.map((s) => [s, held.some((h) => place(name(h), name(s)) === 'same') ? EMBARGO : TRAIN]),
    );
    for (const s of held) role.set(s, TEST);
    return Uint8Array.from(open, (isOpen, f) => (isOpen ? (role.get(index.series[f]) ?? NONE) : NONE));
  });
}

/** Distance to the nearest of ascending times. */
function nearest(times: Float64Array, time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return Math.min((times[low] ?? Infinity) - time, low > 0 ? time - times[low - 1] : Infinity);
}
