/** A LabelTable from the row of each frame: events numbered, hash taken. */
import { createHash } from 'node:crypto';
import type { FrameIndex } from '../shards/index.js';
import { formatInstant } from './instant.js';
import type { LabelTable } from './table.js';

/** What is known of one frame's label; `event` null: none named. */
export interface FrameLabel {
  label: 0 | 1;
  ignore: 0 | 1;
  event: string | null;
  lat: number;
  lon: number;
}

export interface AssembleOptions {
  index: FrameIndex;
  /** Nominal step, milliseconds; a longer step than 1.5 of it ends an unnamed event. Null: every frame is its own. */
  stepMs: number | null;
  source: string;
  rule: string;
  /** Frames without a label take part as unlabelled (-1), left out of loss and metrics. */
  of(frame: number): FrameLabel | undefined;
}

/**
 * Named events belong to one series: the same name in two series is two events. Unnamed storm frames form an event
 * with their neighbours in time, named by its start.
 */
export function assembleLabels({ index, stepMs, source, rule, of }: AssembleOptions): LabelTable {
  const n = index.length;
  const label = new Int8Array(n).fill(-1);
  const ignore = new Uint8Array(n).fill(1);
  const lat = new Float32Array(n).fill(Number.NaN);
  const lon = new Float32Array(n).fill(Number.NaN);
  const names: (string | null)[] = new Array(n).fill(null);
  for (let frame = 0; frame < n; frame++) {
    const known = of(frame);
    if (!known) continue;
    label[frame] = known.label;
    ignore[frame] = known.ignore;
    lat[frame] = known.lat;
    lon[frame] = known.lon;
    names[frame] = known.label === 1 ? known.event : null;
  }
  const { event, eventNames } = numberEvents(index, stepMs, label, names);
  const table = { label, ignore, event, eventNames, lat, lon };
  return { source, rule, ...table, hash: hashLabels(index, table) };
}

function numberEvents(
  index: FrameIndex,
  stepMs: number | null,
  label: Int8Array,
  names: readonly (string | null)[],
): { event: Int32Array; eventNames: string[] } {
  const event = new Int32Array(label.length).fill(-1);
  const eventNames: string[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (series: number, name: string) => {
    const full = index.seriesNames.length > 1 ? `${index.seriesNames[series]}/${name}` : name;
    const known = numbers.get(full);
    if (known !== undefined) return known;
    numbers.set(full, eventNames.length);
    return eventNames.push(full) - 1;
  };
  for (let frame = 0; frame < label.length; frame++) {
    if (label[frame] !== 1) continue;
    const name = names[frame];
    const goesOn = name === null && follows(index, stepMs, frame) && unnamedStorm(label, names, frame - 1);
    event[frame] = goesOn
      ? event[frame - 1]
      : numberOf(index.series[frame], name ?? formatInstant(index.time[frame]));
  }
  return { event, eventNames };
}

const unnamedStorm = (label: Int8Array, names: readonly (string | null)[], frame: number): boolean =>
  label[frame] === 1 && names[frame] === null;

/** True when `frame` comes right after the frame before it, without a gap. */
function follows(index: FrameIndex, stepMs: number | null, frame: number): boolean {
  if (frame === 0 || stepMs === null || index.series[frame] !== index.series[frame - 1]) return false;
  return index.time[frame] - index.time[frame - 1] <= 1.5 * stepMs;
}

type Columns = Pick<LabelTable, 'label' | 'ignore' | 'event' | 'eventNames' | 'lat' | 'lon'>;

/** sha256 over the labelled frames in frame order; frames without a label, late ones above all, do not change it. */
function hashLabels(index: FrameIndex, table: Columns): string {
  const hash = createHash('sha256');
  const numbers = new Float64Array(5);
  const bytes = new Uint8Array(numbers.buffer);
  for (let frame = 0; frame < index.length; frame++) {
    if (table.label[frame] < 0) continue;
    numbers.set([
      index.time[frame],
      table.label[frame],
      table.ignore[frame],
      table.lat[frame],
      table.lon[frame],
    ]);
    const event = table.event[frame] < 0 ? '' : table.eventNames[table.event[frame]];
    hash.update(`${index.seriesNames[index.series[frame]]}\0${event}\0`).update(bytes);
  }
  return hash.digest('hex');
}
