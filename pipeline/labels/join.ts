/**
 * Labels meet frames by series and time, never by position. A frame takes the label nearest in time, and only when
 * the frame is also the nearest one to that label; an equal distance to two is an error, as is a label or a frame
 * that is left over, unless the config settles it.
 *
 *   const table = joinLabels(store, await readLabels(config, { baseDir }), config);
 */
import { basename } from 'node:path';
import { type LabelsConfig, spanMs } from '../../schemas/config/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { ConfigError, LabelJoinError } from '../errors.js';
import type { FrameIndex } from '../shards/index.js';
import { assembleLabels, type FrameLabel } from './assemble.js';
import { formatInstant } from './instant.js';
import { matchTimes } from './match.js';
import type { LabelRow } from './read.js';
import type { LabelTable } from './table.js';

/** The part of a store that labels are joined to. */
export interface Frames {
  readonly description: DatasetDescription;
  readonly index: FrameIndex;
}

/**
 * One label a frame. LabelJoinError: no series column where there are several series, ties, labels without a frame
 * or frames without a label (counts both ways in `fields`). ConfigError: a tolerance is missing where none can be derived.
 */
export function joinLabels(frames: Frames, rows: readonly LabelRow[], config: LabelsConfig): LabelTable {
  const { description, index } = frames;
  const offset = spanMs(config.timeOffset);
  const tolerance = toleranceMs(description, config);
  const matched = matchAll(index, rows, offset, tolerance);
  const left = leftOver(index, rows, matched);
  refuseLeftOver(index, rows, left, config, offset);
  return assembleLabels({
    index,
    stepMs: description.stepMs,
    source: sourceName(config),
    rule: ruleInWords(index, rows, left, config, tolerance),
    of: (frame) => frameLabel(rows, matched[frame], config),
  });
}

/** `labels.source`, else the file's base name without its ending, else `folders`. */
export function sourceName(config: LabelsConfig): string {
  return config.source ?? (config.file ? basename(config.file).replace(/\.[^.]*$/, '') : 'folders');
}

function toleranceMs({ stepMs, time }: DatasetDescription, config: LabelsConfig): number {
  if (config.fromFolder && !config.file) return 0; // a frame's own time, exactly
  if (time === 'none')
    throw new ConfigError('the frames of this dataset have no times, so no label can be joined by time', {
      hint: 'join pictures by their class folder: --label-from-folder 0=calm,1=storm',
    });
  if (config.tolerance !== undefined) return spanMs(config.tolerance);
  if (stepMs !== null) return stepMs / 2;
  throw new ConfigError('the dataset has no nominal step from which a label tolerance could follow', {
    hint: 'give --label-tolerance, e.g. 3h',
  });
}

/** Row of each frame, or -1. */
function matchAll(
  index: FrameIndex,
  rows: readonly LabelRow[],
  offset: number,
  tolerance: number,
): Int32Array {
  const matched = new Int32Array(index.length).fill(-1);
  const groups = rowsBySeries(index, rows);
  let start = 0;
  for (let series = 0; series < index.seriesNames.length; series++) {
    let end = start;
    while (end < index.length && index.series[end] === series) end++;
    const order = (groups.get(index.seriesNames[series]) ?? []).sort((a, b) => rows[a].time - rows[b].time);
    const times = Float64Array.from(order, (row) => rows[row].time + offset);
    const { match, tie } = matchTimes(index.time.subarray(start, end), times, tolerance);
    if (tie) throw tieError(index, rows, tie, { order, start, offset });
    for (let i = 0; i < match.length; i++) if (match[i] >= 0) matched[start + i] = order[match[i]];
    start = end;
  }
  return matched;
}

function rowsBySeries(index: FrameIndex, rows: readonly LabelRow[]): Map<string, number[]> {
  const named = rows.length > 0 && rows[0].series !== null;
  if (!named && index.seriesNames.length > 1)
    throw new LabelJoinError(
      `the dataset has ${index.seriesNames.length} series but the labels name none of them`,
      {
        hint: 'name the column that holds the series: --label-series-column NAME',
        fields: { series: index.seriesNames.slice(0, 3) },
      },
    );
  const groups = new Map<string, number[]>();
  rows.forEach((row, i) => {
    const name = row.series ?? index.seriesNames[0];
    const group = groups.get(name);
    if (group) group.push(i);
    else groups.set(name, [i]);
  });
  return groups;
}

function tieError(
  index: FrameIndex,
  rows: readonly LabelRow[],
  tie: { frames: number[]; labels: number[] },
  { order, start, offset }: { order: number[]; start: number; offset: number },
): LabelJoinError {
  const frames = tie.frames.map((f) => formatInstant(index.time[start + f]));
  const labels = tie.labels.map((l) => `${formatInstant(rows[order[l]].time)} (${rows[order[l]].where})`);
  const distance = spanText(
    Math.abs(index.time[start + tie.frames[0]] - rows[order[tie.labels[0]]].time - offset),
  );
  const text =
    frames.length > 1
      ? `the label of ${labels[0]} is as near to the frame of ${frames[0]} as to that of ${frames[1]}`
      : `the frame of ${frames[0]} is as near to the label of ${labels[0]} as to that of ${labels[1]}`;
  return new LabelJoinError(`cannot join labels by time: ${text}`, {
    hint: `say which one: --label-time-offset -${distance} (or ${distance}), or a smaller --label-tolerance`,
    fields: { kind: 'tie', frames, labels, distance },
  });
}

interface LeftOver {
  labels: number[];
  frames: number[];
}

function leftOver(index: FrameIndex, rows: readonly LabelRow[], matched: Int32Array): LeftOver {
  const used = new Uint8Array(rows.length);
  const frames: number[] = [];
  for (let frame = 0; frame < index.length; frame++) {
    if (matched[frame] >= 0) used[matched[frame]] = 1;
    else frames.push(frame);
  }
  const labels: number[] = [];
  for (let row = 0; row < rows.length; row++) if (!used[row]) labels.push(row);
  return { labels, frames };
}

function refuseLeftOver(
  index: FrameIndex,
  rows: readonly LabelRow[],
  { labels, frames }: LeftOver,
  config: LabelsConfig,
  offset: number,
): void {
  const nothingMet = labels.length === rows.length;
  const badLabels = labels.length > 0 && (config.unmatched === 'error' || nothingMet);
  const badFrames = frames.length > 0 && config.unlabelled === 'error';
  if (!badLabels && !badFrames) return;
  const labelExamples = labels.slice(0, 3).map((row) => atTime(rows[row].series, rows[row].time));
  const frameExamples = frames
    .slice(0, 3)
    .map((f) =>
      atTime(index.seriesNames.length > 1 ? index.seriesNames[index.series[f]] : null, index.time[f]),
    );
  const parts = [
    `${labels.length} of ${rows.length} labels have no frame${examples(labelExamples)}`,
    `${frames.length} of ${index.length} frames have no label${examples(frameExamples)}`,
  ];
  throw new LabelJoinError(`cannot join labels to frames: ${parts.join('; ')}`, {
    hint: hintFor(index, rows, { labels, frames }, { offset, badLabels, nothingMet }),
    fields: {
      kind: 'unmatched',
      labels: labels.length,
      ofLabels: rows.length,
      frames: frames.length,
      ofFrames: index.length,
      labelExamples,
      frameExamples,
    },
  });
}

const atTime = (series: string | null, time: number): string =>
  series === null ? formatInstant(time) : `${series} ${formatInstant(time)}`;
const examples = (list: string[]): string => (list.length ? ` (${list.join(', ')})` : '');

function hintFor(
  index: FrameIndex,
  rows: readonly LabelRow[],
  { labels }: LeftOver,
  { offset, badLabels, nothingMet }: { offset: number; badLabels: boolean; nothingMet: boolean },
): string {
  const unknown = labels.find(
    (row) => rows[row].series && !index.seriesNames.includes(rows[row].series ?? ''),
  );
  if (unknown !== undefined)
    return `the dataset has no series "${rows[unknown].series}"; it has [${index.seriesNames.slice(0, 5).join(', ')}]: --label-series-column NAME, or labels.unmatched: drop`;
  if (nothingMet) {
    const shift = index.time[0] - rows.reduce((least, row) => Math.min(least, row.time), Infinity) - offset;
    return `shift or widen the join: --label-time-offset (the first label and the first frame are ${spanText(shift)} apart) or --label-tolerance`;
  }
  return badLabels
    ? 'widen the join with --label-tolerance, shift it with --label-time-offset, or leave such labels out with labels.unmatched: drop'
    : 'widen the join with --label-tolerance, or say what such frames are with labels.unlabelled: negative | ignore';
}

/** Milliseconds as a span that flags take: `-12h`. */
function spanText(ms: number): string {
  if (ms % 86_400_000 === 0) return `${ms / 86_400_000}d`;
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  return ms % 60_000 === 0 ? `${ms / 60_000}min` : `${ms / 1000}s`;
}

function frameLabel(
  rows: readonly LabelRow[],
  row: number,
  { unlabelled }: LabelsConfig,
): FrameLabel | undefined {
  if (row >= 0) return rows[row];
  if (unlabelled !== 'negative') return undefined;
  return { label: 0, ignore: 0, event: null, lat: Number.NaN, lon: Number.NaN };
}

function ruleInWords(
  index: FrameIndex,
  rows: readonly LabelRow[],
  left: LeftOver,
  config: LabelsConfig,
  tolerance: number,
): string {
  const shifted = spanMs(config.timeOffset) === 0 ? '' : `, ${config.timeOffset} added to every label time`;
  const from = config.file ? `column "${config.column}" of ${basename(config.file)}` : 'class folders';
  const parts = [
    `each frame takes the nearest label of its series within ${spanText(tolerance)}${shifted} (${from}: ${rows.length} labels, ${index.length} frames)`,
  ];
  if (left.frames.length)
    parts.push(
      `${left.frames.length} frames without a label ${config.unlabelled === 'negative' ? 'count as class 0' : 'are left out'}`,
    );
  if (left.labels.length) parts.push(`${left.labels.length} labels without a frame are left out`);
  return parts.join('; ');
}
