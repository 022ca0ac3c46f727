import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BadRasterError } from '../../pipeline/errors.js';
import {
  createDataset,
  type DecodeFrame,
  finalise,
  openDataset,
  openSlots,
  setAsideFaults,
  verifyDataset,
  writeSlot,
} from '../../pipeline/shards/index.js';
import { DatasetDescription, type PlannedFrame } from '../../schemas/records/index.js';

const HOUR = 3_600_000;
const description = DatasetDescription.parse({
  formatVersion: 1,
  encoderVersion: 1,
  grid: { width: 3, height: 2, transform: null, crs: 'none' },
  sourceGrid: { width: 3, height: 2, transform: null, crs: 'none' },
  bands: [
    { name: 'a', unit: 'K', scale: 0.5, offset: 100 },
    { name: 'b', unit: null, scale: 1, offset: 0 },
  ],
  dtype: 'i16',
  resampling: 'nearest',
  stepMs: HOUR,
  time: 'utc',
  series: ['east', 'west'].map((name) => ({ name, transform: null, footprint: null, tile: null })),
});

const planned = (hour: number, size = 1): PlannedFrame => ({
  time: hour * HOUR,
  sources: [{ path: `${hour}.tif`, size, mtimeMs: 5, index: 0, bands: [{ from: 0, to: 0 }] }],
});
const hours = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => planned(from + i));

/** Frame of hour h: values h .. h + 11; its last cell is invalid in odd hours; hour 7 cannot be decoded. */
const decode: DecodeFrame = async ({ time }) => {
  const hour = time / HOUR;
  if (hour === 7) throw new BadRasterError('7.tif ends early', { hint: 'get the file again' });
  const valid = Uint8Array.from([1, 1, 1, 1, 1, hour % 2 ? 0 : 1]);
  return { values: Int16Array.from({ length: 12 }, (_, i) => hour + i), valid, sources: [String(hour)] };
};

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stormreel-shards-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function fill(order: (n: number) => number[] = (n) => [...Array(n).keys()]) {
  const slots = await openSlots(dir);
  for (const i of order(slots.length))
    await writeSlot(dir, description, slots[i], { decode, onBadFrame: 'skip', attempt: 1 });
  return finalise(dir);
}
async function bytesOf(folder: string) {
  const store = await openDataset(folder);
  const { length } = store.index;
  const out = { values: new Float32Array(length * 12), valid: new Uint8Array(length * 6) };
  await store.read([...Array(length).keys()], out);
  await store.close();
  return out;
}
const plan = () =>
  createDataset(
    dir,
    description,
    new Map([
      ['west', hours(0, 9)],
      ['east', hours(0, 4)],
    ]),
    { shardFrames: 3 },
  );

describe('a dataset', () => {
  it('gives back every frame in (series, time) order, in physical units, with its mask', async () => {
    await plan();
    const { frames, bad } = await fill();
    expect([frames, bad]).toEqual([13, 1]);
    const store = await openDataset(dir);
    expect(store.index.seriesNames).toEqual(['east', 'west']);
    expect([...store.index.time].map((t) => t / HOUR)).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...store.index.ok]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1]);
    expect(store.frameReason(11)).toContain('BadRasterError: 7.tif ends early');
    const out = { values: new Float32Array(3 * 12).fill(9), valid: new Uint8Array(3 * 6).fill(9) };
    await store.read([12, 11, 5], out);
    const even = [104, 9, 105, 11, 106, 13, 107, 15, 108, 17, 109, 19];
    const odd = [100.5, 2, 101.5, 4, 102.5, 6, 103.5, 8, 104.5, 10, 0, 0];
    expect([...out.values]).toEqual([...even, ...Array(12).fill(0), ...odd]);
    expect([...out.valid]).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0]);
    await store.close();
  });

  it('has the same hash and shard names whatever the order in which slots were filled, and whoever filled them twice', async () => {
    await plan();
    const first = await fill();
    const names = (await readdir(join(dir, 'shards', 'west'))).sort();
    await rm(dir, { recursive: true });
    await plan();
    const slots = await openSlots(dir);
    await Promise.all(
      [...slots, ...slots].map((slot) =>
        writeSlot(dir, description, slot, { decode, onBadFrame: 'skip', attempt: 2 }),
      ),
    );
    const second = await fill((n) => [...Array(n).keys()].reverse());
    expect(second).toEqual(first);
    expect((await readdir(join(dir, 'shards', 'west'))).sort()).toEqual(names);
  });

  it('is not changed by planning the same frames again', async () => {
    expect((await plan()).revision).toBe(1);
    await fill();
    expect(await plan()).toEqual({ revision: null, added: 0, changed: 0 });
    expect(await openSlots(dir)).toEqual([]);
  });

  it('takes late and changed frames as a new revision and ends as if they had been there at once', async () => {
    await createDataset(dir, description, new Map([['east', hours(0, 4)]]), { shardFrames: 3 });
    await fill();
    const late = [planned(0), planned(1, 2), ...hours(2, 6)];
    const outcome = await createDataset(dir, description, new Map([['east', late]]), { shardFrames: 3 });
    expect(outcome).toEqual({ revision: 2, added: 2, changed: 1 });
    const { hash, frames } = await fill();
    expect(frames).toBe(6);
    await rm(dir, { recursive: true });
    await createDataset(dir, description, new Map([['east', hours(0, 6)]]), { shardFrames: 64 });
    expect((await fill()).hash).toBe(hash);
  });

  it('refuses another grid in the same folder and leaves what is there', async () => {
    await plan();
    const { hash } = await fill();
    const refused = (change: Partial<DatasetDescription>) =>
      expect(createDataset(dir, { ...description, ...change }, new Map())).rejects;
    await refused({ dtype: 'f32' }).toMatchObject({
      tag: 'BandMismatchError',
      hint: expect.stringContaining('--bands a,b'),
    });
    const grid = { ...description.grid, width: 99 };
    await refused({ grid }).toMatchObject({ tag: 'GridMismatchError', fields: { found: grid } });
    await refused({ stepMs: 1 }).toMatchObject({ tag: 'ConfigError', fields: { differ: ['stepMs'] } });
    const [first] = description.series;
    await refused({ series: [{ ...first, name: 'elsewhere' }] }).toMatchObject({
      tag: 'ConfigError',
      fields: { found: 'elsewhere', expected: description.series.map((s) => s.name) },
    });
    await createDataset(dir, { ...description, series: [first] }, new Map());
    expect((await openDataset(dir)).hash).toBe(hash);
  });

  it('stops at a bad frame when asked to, and keeps the slots already committed', async () => {
    await plan();
    const slots = await openSlots(dir);
    const options = { decode, onBadFrame: 'stop' as const, attempt: 1 };
    await writeSlot(dir, description, slots[0], options);
    await expect(writeSlot(dir, description, slots[2], options)).rejects.toMatchObject({
      tag: 'BadRasterError',
    });
    expect((await openSlots(dir)).length).toBe(slots.length - 1);
    await expect(finalise(dir)).rejects.toMatchObject({ tag: 'ConfigError', fields: { open: 4, slots: 5 } });
  });

  it('says when a second attempt decodes to other bytes than were committed', async () => {
    await plan();
    const [slot] = await openSlots(dir);
    const options = { onBadFrame: 'stop' as const, attempt: 1 };
    let late: Promise<unknown> = Promise.resolve();
    const meddled: DecodeFrame = async (frame, series, d) => {
      const decoded = await decode(frame, series, d);
      await writeSlot(dir, description, slot, { ...options, decode }).catch(() => {});
      decoded.values[0] = 99;
      return decoded;
    };
    late = writeSlot(dir, description, slot, { ...options, decode: meddled });
    await expect(late).rejects.toMatchObject({ tag: 'SourceChangedError', fields: { slot: slot.slot } });
  });

  it('finds a flipped bit, a lost shard and a torn commit, and decodes just those slots again after repair', async () => {
    await plan();
    const { hash } = await fill();
    expect((await verifyDataset(dir)).faults).toEqual([]);
    const shards = (await readdir(join(dir, 'shards', 'west'))).sort();
    const flipped = join(dir, 'shards', 'west', shards[0]);
    const bytes = await readFile(flipped);
    bytes[bytes.length >> 1] ^= 4;
    await writeFile(flipped, bytes);
    await rm(join(dir, 'shards', 'west', shards[1]));
    const commits = (await readdir(join(dir, 'commits'))).sort();
    await writeFile(join(dir, 'commits', commits[0]), '');
    expect((await setAsideFaults(dir)).faults.length).toBe(3);
    expect((await openSlots(dir)).length).toBe(3);
    expect((await fill()).hash).toBe(hash);
    expect((await verifyDataset(dir)).faults).toEqual([]);
  });

  it('holds a map without one valid cell as a bad frame, whatever is done with maps that cannot be read', async () => {
    await plan();
    const nothing: DecodeFrame = async (frame, ...rest) => {
      const found = await decode(frame, ...rest);
      return frame.time === HOUR ? { ...found, valid: new Uint8Array(6) } : found;
    };
    for (const slot of (await openSlots(dir)).filter(({ frames }) => frames.every((f) => f.time < 6 * HOUR)))
      await writeSlot(dir, description, slot, { decode: nothing, onBadFrame: 'stop', attempt: 1 });
    expect(await fill()).toMatchObject({ frames: 13, bad: 3 });
    const store = await openDataset(dir);
    expect([...store.index.ok]).toEqual([1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1]);
    expect(store.frameReason(1)).toBe('BadRasterError: no cell holds a value (nodata or NaN everywhere)');
    await store.close();
    expect((await verifyDataset(dir)).faults).toEqual([]);
  });

  it('refuses to read frames whose bytes have changed on disk', async () => {
    await plan();
    await fill();
    const [name] = await readdir(join(dir, 'shards', 'east'));
    const path = join(dir, 'shards', 'east', name);
    const bytes = await readFile(path);
    const at = bytes.indexOf(Buffer.from(Int16Array.from({ length: 12 }, (_, i) => i).buffer));
    bytes[at + 4] ^= 1;
    await writeFile(path, bytes);
    const store = await openDataset(dir);
    const out = { values: new Float32Array(12), valid: new Uint8Array(6) };
    await expect(store.read([0], out)).rejects.toMatchObject({
      tag: 'CorruptShardError',
      message: expect.stringContaining('fails its crc'),
    });
    await store.close();
  });

  it('finds a damaged or foreign manifest, and finalising writes it anew', async () => {
    await plan();
    const { hash, manifest } = await fill();
    const damage: [string, string | Uint8Array][] = [
      ['manifest.json', '{}'],
      ['manifest.json', '{"hash":"'],
      [manifest, ''],
      [manifest, (await readFile(join(dir, manifest))).fill(0, 900, 901)],
    ];
    for (const [name, content] of damage) {
      await writeFile(join(dir, name), content);
      await expect(openDataset(dir)).rejects.toMatchObject({ tag: 'CorruptShardError' });
      expect((await verifyDataset(dir)).faults).toMatchObject([{ name: 'manifest', repairable: true }]);
      expect((await finalise(dir)).hash).toBe(hash);
      expect((await verifyDataset(dir)).faults).toEqual([]);
    }
    const [revision] = await readdir(join(dir, 'plan'));
    await writeFile(join(dir, 'plan', revision), '');
    expect((await verifyDataset(dir)).faults).toMatchObject([{ name: 'plan', repairable: false }]);
  });

  it('is not made of a description that could not be read back', async () => {
    const made = createDataset(dir, { ...description, stepMs: 0 }, new Map([['west', hours(0, 2)]]));
    await expect(made).rejects.toMatchObject({ tag: 'ConfigError' });
    expect(await readdir(dir)).toEqual([]);
  });

  it('minds no files of others in its folders', async () => {
    await plan();
    const { hash } = await fill();
    for (const folder of ['', 'plan', 'commits', 'shards'])
      await writeFile(join(dir, folder, 'notes.json'), 'mine');
    expect((await finalise(dir)).hash).toBe(hash);
    expect((await verifyDataset(dir)).faults).toEqual([]);
  });

  it('leaves no temporary file and no shard without a commit', async () => {
    await plan();
    await writeFile(join(dir, 'commits', '.tmp-x'), '');
    await fill();
    await writeFile(join(dir, 'shards', 'west', 'stray.arrow'), '');
    await finalise(dir);
    const all = await readdir(dir, { recursive: true });
    expect(all.filter((name) => name.includes('.tmp-') || name.includes('stray'))).toEqual([]);
  });

  it('may compress its record batches: other bytes, the same frames and hash', async () => {
    await plan();
    const { hash } = await fill();
    const plain = await bytesOf(dir);
    const packed = `${dir}-lz4`;
    await createDataset(
      packed,
      { ...description, compression: 'lz4' },
      new Map([
        ['west', hours(0, 9)],
        ['east', hours(0, 4)],
      ]),
    );
    for (const slot of await openSlots(packed))
      await writeSlot(packed, { ...description, compression: 'lz4' }, slot, {
        decode,
        onBadFrame: 'skip',
        attempt: 1,
      });
    expect((await finalise(packed)).hash).toBe(hash);
    expect((await verifyDataset(packed)).faults).toEqual([]);
    expect(await bytesOf(packed)).toEqual(plain);
    await rm(packed, { recursive: true });
  });

  it('names the shard when a frame cannot be read', async () => {
    await plan();
    await fill();
    const [name] = await readdir(join(dir, 'shards', 'east'));
    await writeFile(join(dir, 'shards', 'east', name), 'not Arrow');
    const store = await openDataset(dir);
    const out = { values: new Float32Array(48), valid: new Uint8Array(24) };
    await expect(store.read([0, 1, 2, 3], out)).rejects.toMatchObject({
      tag: 'CorruptShardError',
      fields: { shard: join('shards', 'east', name) },
    });
    await store.close();
  });
});
