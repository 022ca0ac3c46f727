/**
 * Labelled and predicted events as entries that can be summed by unit: each belongs to the frame it begins with, a matched
 * prediction to that of its labelled event, so that no draw counts more matches than events.
 */
import type { LabelTable } from '../../labels/index.js';
import type { Segment } from '../../sequences/index.js';
import type { FrameIndex } from '../../shards/index.js';
import { matchEvents, type Span } from './matching.js';

export interface EventEntry {
  /** First frame; for a match and its prediction that of the labelled event. */
  frame: number;
  kind: 'truth' | 'predicted' | 'matched';
  /** Only of matches: hours between the predicted and the labelled start, without sign. */
  onsetHours?: number;
}

export interface EventSumsInput {
  index: FrameIndex;
  segments: readonly Segment[];
  labels: Pick<LabelTable, 'label' | 'event'>;
  /** Judged frames, ascending. */
  frames: Uint32Array;
  /** Aligned with `frames`; null: labelled events alone. */
  predicted: Uint8Array | null;
}

/** Events are runs of judged frames inside a segment; a frame that is not judged ends a run. */
export function eventSums({ index, segments, labels, frames, predicted }: EventSumsInput): EventEntry[] {
  const entries: EventEntry[] = [];
  const place = new Int32Array(index.length).fill(-1);
  frames.forEach((frame, i) => {
    place[frame] = i;
  });
  for (const { start, length } of segments) {
    const of = (key: (frame: number) => number) => spans(start, length, (f) => (place[f] < 0 ? 0 : key(f)));
    const truth = of((f) => (labels.label[f] === 1 ? 2 + labels.event[f] : 0));
    const found = predicted ? of((f) => predicted[place[f]]) : [];
    entries.push(...truth.map(({ start: frame }) => ({ frame, kind: 'truth' as const })));
    const begins = found.map(({ start }) => start);
    for (const match of matchEvents(truth, found)) {
      const [a, b] = [truth[match.truth].start, found[match.predicted].start];
      begins[match.predicted] = a;
      entries.push({
        frame: a,
        kind: 'matched',
        onsetHours: Math.abs(index.time[b] - index.time[a]) / 3_600_000,
      });
    }
    entries.push(...begins.map((frame) => ({ frame, kind: 'predicted' as const })));
  }
  return entries;
}

/** Half-open runs of equal keys other than 0. */
function spans(start: number, length: number, key: (frame: number) => number): Span[] {
  const found: Span[] = [];
  let last = 0;
  for (let frame = start; frame < start + length; frame++) {
    const now = key(frame);
    if (now !== 0 && now === last) found[found.length - 1].end = frame + 1;
    else if (now !== 0) found.push({ start: frame, end: frame + 1 });
    last = now;
  }
  return found;
}
