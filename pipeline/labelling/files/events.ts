/** Predicted storms as CSV and as GeoJSON points. */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import type { EventRow } from '../../../schemas/records/index.js';
import { TimeError } from '../../errors.js';
import { formatInstant, parseInstant } from '../../labels/index.js';
import { csvText, writeWhole } from './csv.js';

const COLUMNS: readonly (keyof EventRow)[] = [
  'event_id',
  'series',
  'start',
  'end',
  'frames',
  'peak_time',
  'peak_probability',
  'mean_probability',
  'lat',
  'lon',
];

/** Writes `events.csv` and `events.geojson` style files; an event without a place has a null geometry. */
export async function writeEvents(
  { csv, geojson }: { csv: string; geojson: string },
  events: readonly EventRow[],
): Promise<void> {
  const instant = (time: unknown) => formatInstant(time as number);
  await writeWhole(csv, csvText(COLUMNS, events, { start: instant, end: instant, peak_time: instant }));
  const features = events.map(({ lat, lon, ...event }) => ({
    type: 'Feature',
    id: event.event_id,
    geometry: lat === null || lon === null ? null : { type: 'Point', coordinates: [lon, lat] },
    properties: {
      ...event,
      start: instant(event.start),
      end: instant(event.end),
      peak_time: instant(event.peak_time),
    },
  }));
  await writeWhole(geojson, `${JSON.stringify({ type: 'FeatureCollection', features })}\n`);
}

/** What `writeEvents` wrote as CSV; a missing file rejects with ENOENT. @throws TimeError for a time that is none. */
export async function readEvents(path: string): Promise<EventRow[]> {
  const rows: Record<keyof EventRow, string>[] = parse(await readFile(path), { columns: true, bom: true });
  const number = (text: string) => (text === '' ? null : Number(text));
  const instant = (text: string) => {
    const time = parseInstant(text, { assumeUtc: false });
    if (typeof time === 'number') return time;
    throw new TimeError(`${path}: cannot read time "${text}": ${time}`, {
      hint: 'write it again: stormreel label DATASET --model RUN --out FILE',
      fields: { path, value: text },
    });
  };
  return rows.map((row) => ({
    event_id: Number(row.event_id),
    series: row.series,
    start: instant(row.start),
    end: instant(row.end),
    frames: Number(row.frames),
    peak_time: instant(row.peak_time),
    peak_probability: number(row.peak_probability),
    mean_probability: number(row.mean_probability),
    lat: number(row.lat),
    lon: number(row.lon),
  }));
}
