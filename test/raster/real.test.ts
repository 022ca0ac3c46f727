import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeFrame, describeDataset, mapCache, scanSources } from '../../pipeline/raster/index.js';
import { IngestConfig } from '../../schemas/config/index.js';

const file = fileURLToPath(new URL('../../../shared/data/ncep_r1/ncep_r1_2000_2002.nc', import.meta.url));

describe.skipIf(!existsSync(file))('the NCEP R1 file (outside this repository)', () => {
  it('gives 1096 daily frames of two fields on its 13 x 17 grid, stamped 00:00 UTC', async () => {
    const config = IngestConfig.parse({ sources: [file], series: 'mediterranean' });
    const scan = await scanSources(config);
    const { description, frames } = describeDataset(scan, config);
    expect(description).toMatchObject({
      grid: { width: 17, height: 13, crs: 'EPSG:4326', transform: [-11.25, 2.5, 0, 61.25, 0, -2.5] },
      stepMs: 86_400_000,
      dtype: 'f32',
      bands: [
        { name: 'msl', unit: 'Pa' },
        { name: 'z500', unit: 'm' },
      ],
    });
    const planned = frames.get('mediterranean')!;
    expect(planned).toHaveLength(1096);
    expect(new Date(planned[0].time).toISOString()).toBe('2000-01-01T00:00:00.000Z');
    const { values, valid } = await decodeFrame(planned[1], description.series[0], description, {
      cache: mapCache(1e6),
    });
    expect(valid.every(Boolean)).toBe(true);
    expect(values.length).toBe(13 * 17 * 2);
    expect(values[0]).toBeGreaterThan(95_000);
    expect(values[1]).toBeGreaterThan(4_500);
  });
});
