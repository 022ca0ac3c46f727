/** Which frames a reader should see first. */
import { PARTS } from '../../../schemas/records/index.js';
import type { ReportData } from '../data.js';
import { wrap } from '../format.js';
import { boxOf } from '../maps/stage.js';

const TEST = PARTS.indexOf('test');

/** Frames of the test part, or all of them where there is no split or no test part. */
export function shownFrames({ index, split }: ReportData): number[] {
  const all = [...(index?.time.keys() ?? [])];
  const test = split ? all.filter((f) => split.part[f] === TEST) : [];
  return test.length > 0 ? test : all;
}

/** Frames by importance: test part first, then storms and their neighbours, then the rest at even distances. */
export function byImportance(data: ReportData): number[] {
  const { index, split, labels, predictions } = data;
  if (!index) return [];
  const weight = (f: number) => {
    const storm = labels?.label[f] === 1 || predictions?.predicted[f] === 1;
    return (split?.part[f] === TEST ? 4 : 0) + (storm ? 2 : 0) + spread(f);
  };
  const weights = Float64Array.from(index.time, (_, f) => weight(f));
  return [...index.time.keys()].sort((a, b) => weights[b] - weights[a] || a - b);
}

/** Fraction in [0, 1) with its bits in reverse order: the first n of a sort by it lie evenly over all frames. */
function spread(f: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 24; bit++) if (f & (1 << bit)) reversed += 2 ** -(bit + 1);
  return 1 - reversed - 2 ** -25;
}

/** The frame the report opens on: the surest storm of the test part, a labelled one where equally sure. */
export function openingFrame(data: ReportData): number {
  const { predictions, labels } = data;
  const frames = shownFrames(data);
  if (!predictions) return frames.find((f) => labels?.label[f] === 1) ?? frames[0] ?? 0;
  const sure = (f: number) =>
    (Number.isNaN(predictions.probability[f]) ? -1 : predictions.probability[f]) +
    (labels?.label[f] === 1 ? 1e-4 : 0);
  return frames.reduce((best, f) => (sure(f) > sure(best) ? f : best), frames[0] ?? 0);
}

/** Frames worth a look, a few of each kind, no frame twice. */
export function gallery(data: ReportData, each = 6): { kind: string; text: string; frames: number[] }[] {
  const { predictions, labels, scores } = data;
  const frames = shownFrames(data);
  const p = (f: number) => predictions?.probability[f] ?? Number.NaN;
  const judged = (f: number) =>
    labels !== null && labels.label[f] >= 0 && labels.ignore[f] === 0 && !Number.isNaN(p(f));
  const top = (list: number[], key: (f: number) => number) =>
    unlike(
      data,
      [...list].sort((a, b) => key(b) - key(a)),
      each,
    );
  const [storms, calms] = [1, 0].map((l) => frames.filter((f) => judged(f) && labels?.label[f] === l));
  return [
    {
      kind: 'Surest storms',
      text: 'largest probability',
      frames: top(
        frames.filter((f) => p(f) > 0.5),
        p,
      ),
    },
    {
      kind: 'Least sure',
      text: 'probability nearest to one half',
      frames: top(
        frames.filter((f) => Math.abs(p(f) - 0.5) < 0.25),
        (f) => -Math.abs(p(f) - 0.5),
      ),
    },
    {
      kind: 'Missed',
      text: 'labelled storm, lowest probability',
      frames: top(
        storms.filter((f) => p(f) < 0.5),
        (f) => -p(f),
      ),
    },
    {
      kind: 'False alarms',
      text: 'labelled calm, highest probability',
      frames: top(
        calms.filter((f) => p(f) >= 0.5),
        p,
      ),
    },
    {
      kind: 'Strangest',
      text: 'largest anomaly score',
      frames: scores
        ? top(
            frames.filter((f) => !Number.isNaN(scores.score[f])),
            (f) => scores.score[f],
          )
        : [],
    },
  ].filter((group) => group.frames.length > 0);
}

const NEAR_DEGREES = 30;
const NEAR_MS = 24 * 3_600_000;

/** The first `most` that show different storms: none within a day and 30 degrees (or in the series) of one before. */
function unlike({ index, store }: ReportData, frames: readonly number[], most: number): number[] {
  const description = store?.description;
  const boxes = new Map(description?.series.map((s) => [s.name, boxOf(s, description)]));
  const near = (a: number, b: number) => {
    if (Math.abs(index!.time[a] - index!.time[b]) >= NEAR_MS) return false;
    const [p, q] = [a, b].map((f) => boxes.get(index!.seriesNames[index!.series[f]]) ?? null);
    if (!p || !q) return index!.series[a] === index!.series[b];
    const east = Math.abs(wrap(p[0] - q[0]));
    return east < NEAR_DEGREES && Math.abs(p[1] - q[1]) < NEAR_DEGREES;
  };
  const chosen: number[] = [];
  for (const f of frames) {
    if (chosen.length >= most) break;
    if (description?.time === 'none' || !chosen.some((c) => near(c, f))) chosen.push(f);
  }
  return chosen;
}
