/** Predicted storms as CSV and as GeoJSON points. */
import type { EventRow } from '../../../schemas/records/index.js';
import { formatInstant } from '../../labels/index.js';
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
