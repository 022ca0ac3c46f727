/**
 * The live record as the usual tables in the order of time: predictions.parquet and .csv, events.csv and .geojson. Classes
 * and events follow the two-sided rule of `stormreel label`, which knows what came afterwards; the record keeps the latch's.
 */
import { join } from 'node:path';
import {
  eventFiles,
  eventsOf,
  postProcess,
  writeEvents,
  writePredictions,
} from '../../pipeline/labelling/index.js';
import { segments } from '../../pipeline/sequences/index.js';
import { someFrames } from '../../pipeline/shards/index.js';
import type {
  Calibration,
  DatasetDescription,
  LiveLabel,
  PredictionRow,
} from '../../schemas/records/index.js';
import { readLines } from './journal.js';

export interface Tables {
  /** predictions.parquet. */
  out: string;
  rows: number;
  events: number;
}

/** Writes the tables of the record in `folder`, also while a watch goes on. */
export async function writeTables(
  folder: string,
  description: DatasetDescription,
  calibration: Calibration,
): Promise<Tables> {
  const labels = new Map<string, LiveLabel>();
  await readLines(join(folder, 'record.jsonl'), (line) => {
    if (line.kind === 'label') labels.set(`${line.series}\0${line.time}`, line);
  });
  const named = [...labels.values()].map((label) => ({ ...label, ok: label.logit !== null }));
  const { store, frames } = someFrames(description, named, () => Promise.reject(new Error('no pixels')));
  const own = segments(store.index, description.stepMs);
  const probability = Float64Array.from(frames, (frame) => frame.probability ?? Number.NaN);
  const predicted = postProcess(probability, own, calibration);
  const { events, event } = eventsOf({
    description,
    index: store.index,
    segments: own,
    probability,
    predicted,
  });
  const rows = frames.map(({ series, time, logit, probability: p, context, ok }, i): PredictionRow => {
    const storm = predicted[i] as 0 | 1;
    const event_id = event[i] > 0 ? event[i] : null;
    return {
      series,
      time,
      logit,
      probability: p,
      predicted: ok ? storm : null,
      event_id,
      split: 'none',
      context,
    };
  });
  const out = join(folder, 'predictions.parquet');
  await writePredictions(out, rows);
  await writePredictions(join(folder, 'predictions.csv'), rows);
  await writeEvents(eventFiles(out), events);
  return { out, rows: rows.length, events: events.length };
}
