/** A season as files: a GeoTIFF a frame, labels.csv of the frames that were received, tracks.csv of every storm and hour. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnProgress } from '../progress.js';
import { encodeGeoTiff } from '../raster/index.js';
import { placeOf } from './box.js';
import type { SimulationConfig } from './options.js';
import { type Season, type SimulatedFrame, season } from './season.js';
import { STORED } from './sensor.js';
import { stormAt } from './storms.js';

export interface SeasonFiles {
  out: string;
  frames: number;
  /** Frames lost in gaps. */
  lost: number;
  /** Frames with lost lines. */
  defects: number;
  storms: number;
  /** Frames labelled 1. */
  positives: number;
  labels: string;
  tracks: string;
}

/** Writes into `out`, which is made; the same config gives the same bytes. */
export async function writeSeason(
  out: string,
  config: SimulationConfig,
  { onProgress, signal }: { onProgress?: OnProgress; signal?: AbortSignal } = {},
): Promise<SeasonFiles> {
  const made = season(config);
  await mkdir(out, { recursive: true });
  const rows = ['time,label,event_id,lat,lon'];
  const counts = { frames: 0, lost: 0, defects: 0, positives: 0 };
  const total = made.options.frames;
  for (let i = 0; i < total; i++) {
    signal?.throwIfAborted();
    const frame = made.frame(i);
    if (frame) {
      await writeFile(join(out, `sim_${stamp(frame.time)}.tif`), encode(made, frame));
      rows.push(labelRow(frame));
      counts.frames++;
      counts.defects += Number(frame.lostLines > 0);
      counts.positives += frame.truth.label;
    } else counts.lost++;
    onProgress?.({ stage: 'simulate', done: i + 1, total, unit: 'frames' });
  }
  const [labels, tracks] = [join(out, 'labels.csv'), join(out, 'tracks.csv')];
  await writeFile(labels, `${rows.join('\n')}\n`);
  await writeFile(tracks, `${trackRows(made).join('\n')}\n`);
  const storms = made.storms.filter(({ kind }) => kind === 'medicane').length;
  return { out, ...counts, storms, labels, tracks };
}

function encode({ grid }: Season, { values, time }: SimulatedFrame): Uint8Array {
  return encodeGeoTiff({
    width: grid.width,
    height: grid.height,
    bands: STORED.names.length,
    dtype: 'i16',
    values,
    transform: grid.transform,
    crs: grid.crs,
    nodata: STORED.nodata,
    scale: STORED.scale,
    offset: STORED.offset,
    bandNames: STORED.names,
    bandUnits: STORED.units,
    dateTime: time,
    compression: 'deflate',
    predictor: true,
  });
}

/** 20200901T0600Z */
const stamp = (time: number): string => `${new Date(time).toISOString().slice(0, 16).replace(/[-:]/g, '')}Z`;
const instant = (time: number): string => `${new Date(time).toISOString().slice(0, 16)}Z`;
const degrees = (value: number | null): string => (value === null ? '' : value.toFixed(3));

function labelRow({ time, truth: { label, event, lat, lon } }: SimulatedFrame): string {
  return [instant(time), label, event ?? '', degrees(lat), degrees(lon)].join(',');
}

/** Every storm at every nominal step of its life, ordinary lows too, also where no frame was received. */
function trackRows({ storms, options }: Season): string[] {
  const rows = ['time,event_id,kind,lat,lon,deficit_hpa,radius_km,warm_core_k,intensity'];
  for (let i = 0; i < options.frames; i++)
    for (const storm of storms) {
      const at = stormAt(storm, (i * options.stepMs) / 3_600_000);
      if (!at) continue;
      const { lat, lon } = placeOf(at.x, at.y);
      const deficit = storm.depth * at.intensity;
      const warmth = storm.kind === 'medicane' ? warmCore(deficit) : 0;
      rows.push(
        [
          instant(options.start + i * options.stepMs),
          storm.id,
          storm.kind,
          degrees(lat),
          degrees(lon),
          deficit.toFixed(2),
          storm.radius.toFixed(0),
          warmth.toFixed(2),
          at.intensity.toFixed(3),
        ].join(','),
      );
    }
  return rows;
}

/** Mean warming (K) between 1000 and 300 hPa that a deficit at the ground needs by hydrostatic balance. */
const warmCore = (deficit: number): number => (260 * deficit) / 1000 / Math.log(1000 / 300);
