import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  ChannelStatistics,
  channelCount,
  channelNames,
  computeChannels,
  fitChannels,
  seasonFeatures,
} from '../../pipeline/channels/index.js';
import { type FrameStore, memoryStore } from '../../pipeline/shards/store.js';
import { ChannelsConfig } from '../../schemas/config/index.js';
import { DAY, description, frameIndex } from '../labels/frames.js';

const golden = JSON.parse(readFileSync(new URL('../golden/channels.json', import.meta.url), 'utf8'));
const { frames, height, width, bands, train, show } = golden as Record<string, number> & {
  train: number[];
  show: number[];
};
const cells = height * width;

function goldenStore(values = Float32Array.from(golden.values)): FrameStore {
  return memoryStore({
    description: description({
      grid: { width, height, transform: null, crs: 'none' },
      bands: [
        { name: 'msl', unit: 'Pa', scale: 1, offset: 0 },
        { name: 't2m', unit: 'K', scale: 1, offset: 0 },
      ],
      stepMs: DAY,
    }),
    index: frameIndex({ a: golden.time }),
    values,
    valid: Uint8Array.from(golden.valid),
  });
}
const config = (values: Partial<ChannelsConfig> = {}) => ChannelsConfig.parse(values);

async function channelsOf(
  store: FrameStore,
  stats: ChannelStatistics,
  frames: number[],
): Promise<Float32Array> {
  const size = stats.height * stats.width;
  const values = new Float32Array(frames.length * size * stats.bands.length);
  const valid = new Uint8Array(frames.length * size);
  await store.read(frames, { values, valid });
  const out = new Float32Array(frames.length * size * channelCount(stats)).fill(Number.NaN);
  computeChannels(
    stats,
    { values, valid, time: frames.map((f) => store.index.time[f]), count: frames.length },
    out,
  );
  return out;
}
/** Channels `from .. from + count - 1` of the shown frames. */
const pick = (out: Float32Array, channels: number, from: number, count = bands) =>
  Array.from(
    { length: show.length * cells * count },
    (_, i) => out[Math.floor(i / count) * channels + from + (i % count)],
  );
function expectClose(found: number[], expected: number[], tolerance: number) {
  expect(found.length).toBe(expected.length);
  expect(Math.max(...found.map((x, i) => Math.abs(x - expected[i])))).toBeLessThan(tolerance);
}

describe('fitChannels and computeChannels', () => {
  it('agree with NumPy on seasonal anomalies, Laplacian and gradient with missing cells', async () => {
    const store = goldenStore();
    const stats = await fitChannels(
      store,
      train,
      config({ anomaly: 'seasonal', laplacian: true, gradient: true, coordinates: true }),
    );
    expect(stats.seasonal?.harmonics).toBe(2);
    expect(stats.notes).toEqual([]);
    const out = await channelsOf(store, stats, show);
    expectClose(pick(out, 8, 0), golden.seasonal, 2e-4);
    expectClose(pick(out, 8, 2), golden.laplacian, 1e-4);
    expectClose(pick(out, 8, 4), golden.gradient, 1e-4);
  });
  it('agree with NumPy on frame anomalies and on plain standardised values', async () => {
    const store = goldenStore();
    const frame = await fitChannels(store, train, config({ anomaly: 'frame' }));
    expectClose([...(await channelsOf(store, frame, show))], golden.frame, 1e-4);
    const plain = await fitChannels(store, train, config());
    expectClose([...(await channelsOf(store, plain, show))], golden.plain, 1e-4);
  });
  it('name the channels in the order they are written', async () => {
    const stats = await fitChannels(
      goldenStore(),
      train,
      config({ anomaly: 'frame', laplacian: true, gradient: true, coordinates: true }),
    );
    expect(channelNames(stats)).toEqual([
      'msl frame anomaly',
      't2m frame anomaly',
      'msl laplacian',
      't2m laplacian',
      'msl gradient',
      't2m gradient',
      'row',
      'column',
    ]);
    expect(channelNames(stats)).toHaveLength(channelCount(stats));
  });
  it('put coordinates on [-1, 1] and 0 in every channel of an invalid cell', async () => {
    const store = goldenStore();
    const stats = await fitChannels(
      store,
      train,
      config({ anomaly: 'seasonal', laplacian: true, gradient: true, coordinates: true }),
    );
    const out = await channelsOf(store, stats, show);
    show.forEach((frame, k) => {
      for (let cell = 0; cell < cells; cell++) {
        const channels = out.subarray((k * cells + cell) * 8, (k * cells + cell + 1) * 8);
        if (!golden.valid[frame * cells + cell]) expect([...channels]).toEqual(new Array(8).fill(0));
        else {
          expect(channels[6]).toBeCloseTo((2 * Math.floor(cell / width)) / (height - 1) - 1, 6);
          expect(channels[7]).toBeCloseTo((2 * (cell % width)) / (width - 1) - 1, 6);
        }
      }
    });
  });
  it('is fitted on the frames given and no others', async () => {
    const changed = Float32Array.from(golden.values);
    changed.fill(9e5, 70 * cells * bands); // frames after the training ones
    for (const anomaly of ['none', 'frame', 'seasonal'] as const) {
      const options = config({ anomaly, laplacian: true, gradient: true });
      const stats = await fitChannels(goldenStore(), train, options);
      expect(await fitChannels(goldenStore(changed), train, options)).toEqual(stats);
      const other = await fitChannels(goldenStore(), train.slice(1), options);
      expect(other.hash).not.toBe(stats.hash);
      expect(other.fitted.hash).not.toBe(stats.fitted.hash);
    }
  });
  it('does not depend on the order of the frames and skips bad ones', async () => {
    const store = goldenStore();
    const options = config({ anomaly: 'seasonal' });
    const stats = await fitChannels(store, train, options);
    expect(await fitChannels(store, [...train].reverse(), options)).toEqual(stats);
    store.index.ok[3] = 0;
    const without = train.filter((f) => f !== 3);
    expect((await fitChannels(store, train, options)).hash).toBe(
      (await fitChannels(store, without, options)).hash,
    );
  });
  it('is plain JSON that its schema accepts and that computes the same after a round trip', async () => {
    const store = goldenStore();
    const stats = await fitChannels(store, train, config({ anomaly: 'seasonal', laplacian: true }));
    const back = ChannelStatistics.parse(JSON.parse(JSON.stringify(stats)));
    expect(back).toEqual(stats);
    expect(await channelsOf(store, back, show)).toEqual(await channelsOf(store, stats, show));
  });
  it('fits no harmonics on less than a year and says so', async () => {
    const store = goldenStore();
    const short = train.filter((f) => golden.time[f] < golden.time[0] + 300 * DAY);
    const stats = await fitChannels(store, short, config({ anomaly: 'seasonal' }));
    expect(stats.seasonal?.harmonics).toBe(0);
    expect(stats.notes.join()).toContain('less than a year');
    const out = await channelsOf(store, stats, short);
    for (let at = 0; at < cells * bands; at++) {
      let [sum, squares, count] = [0, 0, 0];
      short.forEach((frame, k) => {
        if (!golden.valid[frame * cells + Math.floor(at / bands)]) return;
        sum += out[k * cells * bands + at];
        squares += out[k * cells * bands + at] ** 2;
        count++;
      });
      expect(sum / count).toBeCloseTo(0, 3);
      expect(squares / count).toBeCloseTo(1, 3);
    }
  });
  it('gives 0, never infinity, where a cell or a band was constant or never seen in training', async () => {
    const values = Float32Array.from(golden.values);
    const valid = Uint8Array.from(golden.valid);
    for (let f = 0; f < 70; f++) {
      values[f * cells * bands + 6 * bands] = 5; // cell 6 of band 0 never changes in training
      valid[f * cells + 7] = 0; // cell 7 is never seen in training
    }
    valid.fill(1, 70 * cells);
    const store = memoryStore({ ...goldenStore(), values, valid });
    const stats = await fitChannels(store, train, config({ anomaly: 'seasonal' }));
    expect(stats.notes.join()).toContain('3 values of a cell and band');
    const out = await channelsOf(store, stats, [75]);
    expect([out[6 * bands], out[7 * bands], out[7 * bands + 1]]).toEqual([0, 0, 0]);
    expect(out[6 * bands + 1]).not.toBe(0);
    const flat = memoryStore({ ...goldenStore(), values: new Float32Array(frames * cells * bands).fill(7) });
    for (const anomaly of ['none', 'frame', 'seasonal'] as const) {
      const constant = await fitChannels(flat, train, config({ anomaly, laplacian: true, gradient: true }));
      expect((await channelsOf(flat, constant, show)).every((x) => x === 0)).toBe(true);
    }
  });
  it('refuses no frames, no valid cell, and frames of another grid', async () => {
    const store = goldenStore();
    await expect(fitChannels(store, [], config())).rejects.toMatchObject({
      tag: 'ConfigError',
      fields: { frames: 0 },
    });
    const blind = memoryStore({
      ...store,
      values: new Float32Array(frames * cells * bands),
      valid: new Uint8Array(frames * cells),
    });
    await expect(fitChannels(blind, train, config())).rejects.toMatchObject({ tag: 'ConfigError' });
    const stats = await fitChannels(store, train, config());
    const short = { values: new Float32Array(10), valid: new Uint8Array(cells), time: [0], count: 1 };
    expect(() => computeChannels(stats, short, new Float32Array(cells * bands))).toThrow(
      expect.objectContaining({ tag: 'ModelMismatchError', fields: expect.objectContaining({ values: 10 }) }),
    );
  });
  it('reports progress to the last frame', async () => {
    const seen: number[] = [];
    await fitChannels(goldenStore(), train, config(), {
      onProgress: ({ done, total }) => seen.push(done / total),
    });
    expect(seen.at(-1)).toBe(1);
  });
});

describe('seasonFeatures', () => {
  it('has unit circles of one and two turns a year', () => {
    const [sin1, cos1, sin2, cos2] = seasonFeatures(Date.UTC(1970, 3, 2, 7)); // a quarter of a year
    expect([sin1, cos1, sin2, cos2].map((x) => Math.round(x * 100) / 100)).toEqual(
      [1, 0, 0, -1].map((x) => expect.closeTo(x, 1)),
    );
    for (const year of [1900, 1970, 2024, 2100]) {
      const [sin, cos] = seasonFeatures(Date.UTC(year, 0, 1));
      expect(Math.abs(sin)).toBeLessThan(0.03);
      expect(cos).toBeGreaterThan(0.99);
    }
  });
});
