/** Every flipped bit and every cut file is found: seeded cases over all files of a dataset; `npm run damage` takes 1,000. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isStormreelError } from '../../pipeline/errors.js';
import { joinLabels, loadLabels, saveLabels } from '../../pipeline/labels/index.js';
import { Random } from '../../pipeline/random.js';
import {
  createDataset,
  type DecodeFrame,
  finalise,
  openDataset,
  openSlots,
  verifyDataset,
  writeSlot,
} from '../../pipeline/shards/index.js';
import { LabelsConfig } from '../../schemas/config/index.js';
import { DatasetDescription } from '../../schemas/records/index.js';

const CASES = Number(process.env.DAMAGE_CASES ?? 200);
const SEED = 20261125;
const HOUR = 3_600_000;
const description = DatasetDescription.parse({
  ...{ formatVersion: 1, encoderVersion: 1, dtype: 'i16', resampling: 'nearest', stepMs: HOUR, time: 'utc' },
  grid: { width: 5, height: 4, transform: [1e-7, 0.25, 0, 45, 0, -0.25], crs: 'EPSG:4326' },
  sourceGrid: { width: 5, height: 4, transform: [1e-7, 0.25, 0, 45, 0, -0.25], crs: 'EPSG:4326' },
  bands: [{ name: 'msl', unit: 'Pa', scale: 0.5, offset: 100 }],
  series: ['east', 'west'].map((name) => ({ name, transform: null, footprint: null, tile: null })),
});

let dir: string;
const files: { name: string; bytes: Buffer }[] = [];
let before: unknown;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stormreel-damage-'));
  await makeDataset();
  for (const name of (await readdir(dir, { recursive: true })).sort())
    if ((await stat(join(dir, name))).isFile()) files.push({ name, bytes: await readFile(join(dir, name)) });
  before = await readAll();
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** 30 frames in two series and ten shards, half of them with a mask; labels. */
async function makeDataset(): Promise<void> {
  const frames = Array.from({ length: 15 }, (_, hour) => ({
    time: hour * HOUR,
    sources: [{ path: `/maps/${hour}.tif`, size: 99, mtimeMs: 5, index: 0, bands: [{ from: 0, to: 0 }] }],
  }));
  await createDataset(
    dir,
    description,
    new Map([
      ['east', frames],
      ['west', frames],
    ]),
    { shardFrames: 3 },
  );
  const decode: DecodeFrame = async ({ time }, { name }) => ({
    values: Int16Array.from({ length: 20 }, (_, i) => time / HOUR + i * 7),
    valid: Uint8Array.from({ length: 20 }, (_, i) => Number(name === 'east' || i !== 3)),
    sources: ['ab'.repeat(32)],
  });
  for (const slot of await openSlots(dir))
    await writeSlot(dir, description, slot, { decode, onBadFrame: 'stop', attempt: 1 });
  await finalise(dir);
  const store = await openDataset(dir);
  const { index } = store;
  const rows = [...index.time.keys()].map((frame) => ({
    ...{ series: index.seriesNames[index.series[frame]], time: index.time[frame], where: '' },
    ...{ label: (frame % 2) as 0 | 1, event: null, ignore: 0 as const, lat: 38, lon: 15 },
  }));
  await saveLabels(dir, joinLabels(store, rows, LabelsConfig.parse({ file: 'truth.csv' })), store);
  await store.close();
}

/** All that a user of the dataset can see. */
async function readAll(): Promise<unknown> {
  const store = await openDataset(dir);
  try {
    const out = { values: new Float32Array(30 * 20), valid: new Uint8Array(30 * 20) };
    await store.read([...store.index.time.keys()], out);
    const { index, hash } = store;
    return { index, hash, description: store.description, out, labels: await loadLabels(dir, store) };
  } finally {
    await store.close();
  }
}

/** One bit flipped, or the file cut short; both by seed. */
function damage(bytes: Buffer, random: Random): { how: string; damaged: Buffer } {
  if (random.uniform() < 0.25) {
    const length = random.integer(bytes.length);
    return { how: `cut to ${length} bytes`, damaged: bytes.subarray(0, length) };
  }
  const bit = random.integer(bytes.length * 8);
  const damaged = Buffer.from(bytes);
  damaged[bit >> 3] ^= 1 << (bit & 7);
  return { how: `bit ${bit} flipped`, damaged };
}

it(`verify finds ${CASES} of ${CASES} flips and cuts, and reading gives the same frames or a typed error`, async () => {
  const random = Random.from(SEED);
  const missed: string[] = [];
  const wrong: string[] = [];
  const places = new Set<string>();
  for (let n = 0; n < CASES; n++) {
    const { name, bytes } = files[random.integer(files.length)];
    const { how, damaged } = damage(bytes, random);
    places.add(name.split('/')[0]);
    await writeFile(join(dir, name), damaged);
    if ((await verifyDataset(dir)).faults.length === 0) missed.push(`${name}: ${how}`);
    const now = await readAll().catch((error) => error);
    if (!isStormreelError(now)) {
      try {
        expect(now).toEqual(before);
      } catch {
        wrong.push(`${name}: ${how}: ${now instanceof Error ? now.stack : 'other frames'}`);
      }
    }
    await writeFile(join(dir, name), bytes);
  }
  expect(missed).toEqual([]);
  expect(wrong).toEqual([]);
  const manifest = files.find(({ name }) => /^manifest-.*arrow$/.test(name))!.name;
  const all = ['commits', 'dataset.json', 'labels', manifest, 'manifest.json', 'plan', 'shards'];
  expect([...places].sort()).toEqual(all.sort());
  expect(await readAll()).toEqual(before);
});
