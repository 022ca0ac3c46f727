/**
 * What is fuzzed: our own parsers and decoders, through the functions that the product calls. A target throws when something
 * else than an answer or a typed error comes back; the time it takes is the runner's business.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isStormreelError } from '../../dist/pipeline/errors.js';
import { readLabels } from '../../dist/pipeline/labels/index.js';
import { parseInstant } from '../../dist/pipeline/labels/instant.js';
import { cfTime } from '../../dist/pipeline/raster/cf/times.js';
import {
  decodeFrame,
  describeDataset,
  encodeGeoTiff,
  scanSources,
} from '../../dist/pipeline/raster/index.js';
import { commonName, namePattern, textTime } from '../../dist/pipeline/raster/time.js';
import {
  createDataset,
  finalise,
  openDataset,
  openSlots,
  readPlan,
  verifyDataset,
  writeSlot,
} from '../../dist/pipeline/shards/index.js';
import { IngestConfig, LabelsConfig } from '../../dist/schemas/config/index.js';
import { mutateBytes, mutateJson, mutateText } from './mutate.mjs';

const golden = (folder, wanted) => {
  const path = fileURLToPath(new URL(`../golden/${folder}/`, import.meta.url));
  return readdirSync(path)
    .filter((name) => wanted.test(name) && statSync(join(path, name)).size < 50_000)
    .map((name) => readFileSync(join(path, name)));
};

/** True for a typed error, which is an answer; throws any other again. */
function typed(error) {
  if (isStormreelError(error) && error.message && error.hint) return true;
  throw error;
}

/** Header and all pixels of one file; what is read is finite wherever it is valid. */
async function readMap(path) {
  const config = IngestConfig.parse({ sources: [path], step: '1h', series: 'a', assumeUtc: true });
  const scan = await scanSources(config);
  const { description, frames } = describeDataset(scan, config);
  const [series] = description.series;
  const frame = await decodeFrame(frames.get(series.name)[0], series, description);
  const { values, valid } = frame;
  const bands = description.bands.length;
  if (values.length !== valid.length * bands) throw new Error('values and mask do not fit');
  for (let i = 0; i < values.length; i++)
    if (valid[Math.floor(i / bands)] && !Number.isFinite(values[i]))
      throw new Error('a valid cell is not finite');
}

const fileTarget = (folder, ending, seeds) => {
  const path = join(folder, `map_20051201T0000Z${ending}`);
  return async (roll) => {
    const bytes = mutateBytes(seeds[roll(seeds.length)], roll);
    writeFileSync(path, bytes);
    await readMap(path).catch(typed);
    return bytes;
  };
};

function labelsTarget(folder) {
  const path = join(folder, 'labels.csv');
  const seed = Buffer.from(
    '\ufefftime,label,series,event_id,lat,lon,ignore\r\n"2005-12-01T00:00:00.000Z",1,"a ""b""",e1,35.5,-12,0\r\n2005-12-01T06:00+02:00,0,a,,,,\r\n',
  );
  const config = LabelsConfig.parse({ file: path });
  return async (roll) => {
    const bytes = mutateBytes(seed, roll);
    writeFileSync(path, bytes);
    await readLabels(config, { baseDir: '.' }).catch(typed);
    return bytes;
  };
}

const TIMES = [
  '2005',
  '12',
  '14',
  '06',
  '00',
  '30',
  'Z',
  'T',
  '+01:00',
  '.5',
  '60',
  '24',
  '20051214',
  '0600',
  '2005-12-14',
  'UTC',
];

function timeTarget(roll) {
  const text = mutateText(
    [...TIMES, 'map_', '.tif', '{YYYY}', '{MM}', '{DD}', '{hh}', '{series}', '{band}', '*', '('],
    roll,
  );
  const pattern = mutateText(
    [
      '{YYYY}',
      '{MM}',
      '{DD}',
      '{hh}',
      '{mm}',
      '{ss}',
      '{DDD}',
      '{series}',
      '{band}',
      '_',
      '.tif',
      '(',
      '[',
      '\\',
    ],
    roll,
  );
  for (const read of [
    () => commonName(roll(2) === 0)(`/maps/${text}`),
    () => namePattern(pattern, true)(`/maps/${text}`),
    () => textTime(text, 'a.tif', roll(2) === 0),
  ])
    try {
      const found = read();
      const time = typeof found === 'number' ? found : found.time;
      if (time !== null && !Number.isSafeInteger(time)) throw new Error(`the time ${time} is no instant`);
    } catch (error) {
      typed(error);
    }
  const instant = parseInstant(text, { assumeUtc: true });
  if (typeof instant === 'number' && !Number.isSafeInteger(instant))
    throw new Error(`${instant} is no instant`);
  return Buffer.from(`${text}\n${pattern}`);
}

function cfTarget(roll) {
  const units = mutateText(
    ['hours', 'days', 'since', ' ', ...TIMES, '1800-01-01', '0', '-5', '99999', 'months'],
    roll,
  );
  const calendar = mutateText(['standard', 'noleap', '360_day', 'julian', 'proleptic_gregorian', 'x'], roll);
  try {
    const time = cfTime(
      units,
      roll(2) ? calendar : undefined,
      'a.nc',
    )([0, -1, 1e6, 1e300, Number.NaN][roll(5)]);
    if (!Number.isFinite(time)) throw new Error(`${time} is no instant`);
  } catch (error) {
    typed(error);
  }
  return Buffer.from(`${units}\n${calendar}`);
}

/** A small dataset, one file of which is changed: it reads as it was, or says that it does not. */
async function datasetTarget(folder) {
  const [maps, dataset] = [join(folder, 'maps'), join(folder, 'dataset')];
  mkdirSync(maps);
  for (let i = 0; i < 6; i++) {
    const values = Float32Array.from({ length: 48 }, (_, c) => (c % 7 ? c + i : Number.NaN));
    const image = {
      width: 8,
      height: 6,
      bands: 1,
      dtype: 'f32',
      values,
      transform: [10, 1, 0, 45, 0, -1],
      crs: 'EPSG:4326',
    };
    writeFileSync(join(maps, `m_20051201T0${i}00Z.tif`), encodeGeoTiff(image));
  }
  const config = IngestConfig.parse({ sources: [maps], shardFrames: 3 });
  const { description, frames } = describeDataset(await scanSources(config), config);
  await createDataset(dataset, description, frames, { shardFrames: 3 });
  for (const slot of await openSlots(dataset))
    await writeSlot(dataset, description, slot, { decode: decodeFrame, onBadFrame: 'stop', attempt: 1 });
  await finalise(dataset);
  const files = readdirSync(dataset, { recursive: true })
    .map((name) => join(dataset, name))
    .filter((path) => statSync(path).isFile());
  const before = new Map(files.map((path) => [path, readFileSync(path)]));
  const whole = await contents(dataset);
  return async (roll) => {
    const path = files[roll(files.length)];
    const bytes = changedFile(path, before.get(path), roll);
    try {
      writeFileSync(path, bytes);
      const read = await contents(dataset).catch(typed);
      const { faults } = await verifyDataset(dataset).catch((error) => ({ faults: [typed(error)] }));
      await readPlan(dataset).catch(typed);
      if (read !== true && read !== whole && faults.length === 0)
        throw new Error(`${path} was changed and nothing says so`);
    } finally {
      rmSync(dataset, { recursive: true });
      for (const [name, content] of before) {
        mkdirSync(join(name, '..'), { recursive: true });
        writeFileSync(name, content);
      }
    }
    return Buffer.concat([Buffer.from(`${path}\n`), bytes]);
  };
}

function changedFile(path, bytes, roll) {
  if (!/\.jsonl?$/.test(path) || roll(2) === 0) return mutateBytes(bytes, roll);
  const text = bytes.toString('utf8');
  if (path.endsWith('.json')) return Buffer.from(`${JSON.stringify(mutateJson(JSON.parse(text), roll))}\n`);
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const changed = mutateJson(lines, roll);
  return Buffer.from(`${changed.map((line) => JSON.stringify(line)).join('\n')}\n`);
}

/** All values and masks as one text. */
async function contents(dataset) {
  const store = await openDataset(dataset);
  try {
    const { width, height } = store.description.grid;
    const n = store.index.length;
    if (n * width * height > 10_000) return 'more than was written';
    const out = { values: new Float32Array(n * width * height), valid: new Uint8Array(n * width * height) };
    await store.read(
      Array.from({ length: n }, (_, i) => i),
      out,
    );
    return `${store.index.time.join()} ${out.values.join()} ${out.valid.join()}`;
  } finally {
    await store.close();
  }
}

/** Functions of a roll by name; each makes an input, tries it and returns it. `close` removes their files. */
export async function openTargets() {
  const folder = mkdtempSync(join(tmpdir(), 'stormreel-fuzz-'));
  return {
    targets: {
      geotiff: fileTarget(folder, '.tif', golden('raster', /\.tif$/)),
      classic: fileTarget(folder, '.nc', golden('netcdf', /classic|64bit|calendar|packed_netcdf3/)),
      labels: labelsTarget(folder),
      times: async (roll) => timeTarget(roll),
      cftime: async (roll) => cfTarget(roll),
      dataset: await datasetTarget(folder),
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
