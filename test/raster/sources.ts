/** A folder of maps for one test, and what ingest would make of it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import {
  decodeFrame,
  describeDataset,
  encodeGeoTiff,
  type GeoTiffImage,
  type ScanOptions,
  scanSources,
} from '../../pipeline/raster/index.js';
import { IngestConfig } from '../../schemas/config/index.js';

let folder = '';

/** Call once at the top of a test file. */
export function inFolder(): void {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stormreel-sources-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
}

export const at = (name: string): string => join(folder, name);

export async function put(files: Record<string, Uint8Array | string>): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), bytes);
  }
}

/** 3 x 2 cells, one band of u8 0 .. 5. */
export function tif(change: Partial<GeoTiffImage> = {}): Uint8Array {
  const { width = 3, height = 2, bands = 1 } = change;
  return encodeGeoTiff({
    ...{ width, height, bands, dtype: 'u8', values: Uint8Array.from({ length: 6 * bands }, (_, i) => i) },
    ...{ transform: [10, 1, 0, 45, 0, -1], crs: 'EPSG:4326', bandNames: ['ir', 'wv', 'vis'].slice(0, bands) },
    ...change,
  });
}

export async function ingested(config: object = {}, options: ScanOptions = {}) {
  const whole = IngestConfig.parse({ sources: [folder], step: '1h', ...config });
  const scan = await scanSources(whole, options);
  const { description, frames, rejected } = describeDataset(scan, whole);
  return {
    description,
    frames,
    rejected: [...scan.rejected, ...rejected],
    series: [...frames.keys()],
    times: [...frames.values()].map((list) => list.map(({ time }) => new Date(time).toISOString())),
    /** Physical values, null where invalid, `[height, width, band]`. */
    async decode(i = 0, name = description.series[0].name) {
      const series = description.series.find((s) => s.name === name)!;
      const { values, valid } = await decodeFrame(frames.get(name)![i], series, description);
      const { bands } = description;
      return Array.from(values, (v, o) => {
        const { scale, offset } = bands[o % bands.length];
        return valid[Math.floor(o / bands.length)] ? v * scale + offset : null;
      });
    },
  };
}

export const refusal = (config?: object): Promise<unknown> => ingested(config).catch((error) => error);
