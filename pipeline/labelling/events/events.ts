/** Predicted storms: runs of storm frames inside a segment, with their peak and, where a map says so, their place. */
import type { DatasetDescription, EventRow } from '../../../schemas/records/index.js';
import type { Segment } from '../../sequences/index.js';
import type { FrameIndex } from '../../shards/index.js';
import { runs } from './hysteresis.js';
import { cellCentre } from './place.js';

export interface EventInput {
  description: DatasetDescription;
  index: FrameIndex;
  segments: readonly Segment[];
  /** Per frame; NaN for bad frames. */
  probability: ArrayLike<number>;
  /** Per frame, 1 for storm. */
  predicted: ArrayLike<number>;
  /** `[frame, height, width]`, where the model looked; null without. */
  attention?: Float32Array | null;
}

/** Events in (series, time) order numbered from 1, and the number of each frame (0 outside). */
export function eventsOf(input: EventInput): { events: EventRow[]; event: Int32Array } {
  const event = new Int32Array(input.index.length);
  const events: EventRow[] = [];
  for (const segment of input.segments) {
    const mask = Uint8Array.from({ length: segment.length }, (_, i) => input.predicted[segment.start + i]);
    for (const { start, end } of runs(mask)) {
      const row = describe(input, segment.start + start, segment.start + end, events.length + 1);
      event.fill(row.event_id, segment.start + start, segment.start + end);
      events.push(row);
    }
  }
  return { events, event };
}

function describe(input: EventInput, start: number, end: number, id: number): EventRow {
  const { index, probability } = input;
  let [peak, sum, seen] = [start, 0, 0];
  for (let frame = start; frame < end; frame++) {
    const p = probability[frame];
    if (Number.isNaN(p)) continue;
    sum += p;
    seen++;
    if (!(probability[peak] >= p)) peak = frame;
  }
  return {
    event_id: id,
    series: index.seriesNames[index.series[start]],
    start: index.time[start],
    end: index.time[end - 1],
    frames: end - start,
    peak_time: index.time[peak],
    peak_probability: seen > 0 ? probability[peak] : null,
    mean_probability: seen > 0 ? sum / seen : null,
    ...(centre(input, peak) ?? { lat: null, lon: null }),
  };
}

/** Where the model looked most in the peak frame: the middle of the weight within two cells of the maximum. */
function centre({ description, index, attention }: EventInput, frame: number) {
  if (!attention) return null;
  const { width, height } = description.grid;
  const map = attention.subarray(frame * width * height, (frame + 1) * width * height);
  let best = 0;
  for (let cell = 1; cell < map.length; cell++) if (map[cell] > map[best]) best = cell;
  if (!(map[best] > 0)) return null;
  const [row, column] = [Math.floor(best / width), best % width];
  let [weight, r, c] = [0, 0, 0];
  for (let y = Math.max(0, row - 2); y <= Math.min(height - 1, row + 2); y++)
    for (let x = Math.max(0, column - 2); x <= Math.min(width - 1, column + 2); x++) {
      const w = map[y * width + x];
      weight += w;
      r += w * y;
      c += w * x;
    }
  return cellCentre(description, index.seriesNames[index.series[frame]], r / weight, c / weight);
}
