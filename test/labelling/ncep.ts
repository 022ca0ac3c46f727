import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { File, ready } from 'h5wasm/node';
import { joinLabels, readLabels } from '../../pipeline/labels/index.js';
import { type FrameIndex, memoryStore } from '../../pipeline/shards/index.js';
import { LabelsConfig } from '../../schemas/config/index.js';
import { DAY, description } from '../labels/frames.js';

const folder = new URL('../../../shared/data/ncep_r1/', import.meta.url);
export const hasNcep = existsSync(folder) && readFileSync(new URL('README.md', folder), 'utf8') !== '';

/** Pressure and height of three years of daily maps in memory, with the labels of confidence level 8. */
export async function openNcep() {
  await ready;
  const file = new File(fileURLToPath(new URL('ncep_r1_2000_2002.nc', folder)), 'r');
  const read = (name: string) => (file.get(name) as { value: ArrayLike<number> }).value;
  const [pressure, height, days] = [read('msl'), read('z500'), read('time')];
  file.close();
  const [count, cells] = [days.length, 13 * 17];
  const values = new Float32Array(count * cells * 2);
  for (let i = 0; i < count * cells; i++) values.set([pressure[i], height[i]], 2 * i);
  const index: FrameIndex = {
    length: count,
    seriesNames: ['a'],
    series: new Uint32Array(count),
    time: Float64Array.from({ length: count }, (_, i) => Date.parse('2000-01-01') + Number(days[i]) * DAY),
    ok: new Uint8Array(count).fill(1),
  };
  const grid = {
    width: 17,
    height: 13,
    transform: [-11.25, 2.5, 0, 61.25, 0, -2.5] as [number, number, number, number, number, number],
    crs: 'EPSG:4326',
  };
  const bands = ['msl', 'z500'].map((name) => ({ name, unit: null, scale: 1, offset: 0 }));
  const store = memoryStore({ description: description({ grid, bands, stepMs: DAY }), index, values });
  const config = LabelsConfig.parse({
    file: fileURLToPath(new URL('labels_flaounas_cl8_cl9_cl10_at12utc.csv', folder)),
    column: 'label_cl8',
    eventColumn: 'cl8_id',
    assumeUtc: true,
    timeOffset: '-12h',
  });
  const labels = joinLabels(store, await readLabels(config, { baseDir: '.' }), config);
  return { store, labels };
}
