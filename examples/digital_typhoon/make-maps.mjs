/**
 * Writes the frames of the Digital Typhoon sample as GeoTIFF maps and one labels.csv, so that they go through the
 * ordinary ingest. The sample lies outside this repository.
 *
 *   node examples/digital_typhoon/make-maps.mjs ../shared/data/digital_typhoon examples/digital_typhoon/out/maps
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { encodeGeoTiff } from '../../dist/pipeline/raster/index.js';

const [source, out] = process.argv.slice(2);
if (!source || !out) {
  console.error('usage: node make-maps.mjs SAMPLE_FOLDER OUT_FOLDER');
  process.exit(2);
}
const SIZE = 128;
const [header, ...rows] = readFileSync(join(source, 'labels.csv'), 'utf8').trim().split('\n');
const columns = header.split(',');
const at = (row, name) => row.split(',')[columns.indexOf(name)];
const stamp = (time) =>
  new Date(time)
    .toISOString()
    .replace(/[-:]|\.000/g, '')
    .replace(/(\d{4})00Z$/, '$1Z');

const frames = new Map();
for (const row of rows) {
  const storm = at(row, 'sequence');
  if (!frames.has(storm)) {
    frames.set(storm, gunzipSync(readFileSync(join(source, `${storm}.u8.gz`))));
    mkdirSync(join(out, storm), { recursive: true });
  }
  const start = Number(at(row, 'frame')) * SIZE * SIZE;
  const values = Uint8Array.from(frames.get(storm).subarray(start, start + SIZE * SIZE));
  const file = encodeGeoTiff({
    width: SIZE,
    height: SIZE,
    bands: 1,
    dtype: 'u8',
    values,
    transform: null,
    crs: 'none',
    scale: [160 / 255],
    offset: [160],
    bandNames: ['ir'],
    bandUnits: ['K'],
    compression: 'deflate',
  });
  writeFileSync(join(out, storm, `ir_${stamp(at(row, 'time'))}.tif`), file);
}
writeFileSync(
  join(out, 'labels.csv'),
  `series,time,label\n${rows.map((r) => [at(r, 'sequence'), at(r, 'time'), at(r, 'label_ts_or_stronger')].join(',')).join('\n')}\n`,
);
console.log(`${rows.length} maps of ${frames.size} storms in ${out}`);
