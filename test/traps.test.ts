/**
 * Mistakes that people really made with labels, order, windows and splits (docs: the map sequence classifier), each
 * shown to be impossible or refused; those with models, losses, training and figures are in trapsModel.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { fitChannels } from '../pipeline/channels/index.js';
import { folderLabels, joinLabels, type LabelRow } from '../pipeline/labels/index.js';
import {
  blockOrder,
  eventSampler,
  frameRing,
  makeSplit,
  partMask,
  segments,
  TEST,
  TRAIN,
  windows,
} from '../pipeline/sequences/index.js';
import { memoryStore } from '../pipeline/shards/store.js';
import { ChannelsConfig, LabelsConfig, SplitConfig } from '../schemas/config/index.js';
import { description, frameIndex, HOUR, steps } from './labels/frames.js';

const COUNT = 480;
const times = steps('2005-12-01T00:00Z', COUNT);
/** Four storms of 12 hours: a tenth of all frames. */
const isStorm = (f: number) => f % 120 >= 40 && f % 120 < 52;
const row = (time: number, label: 0 | 1): LabelRow => ({
  time,
  label,
  series: null,
  event: null,
  ignore: 0,
  lat: Number.NaN,
  lon: Number.NaN,
  where: '',
});
const rows = times.map((time, f) => row(time, isStorm(f) ? 1 : 0));
const config = LabelsConfig.parse({ file: 'labels.csv' });
const frames = { description: description(), index: frameIndex({ a: times }), hash: 'a'.repeat(64) };
const labels = joinLabels(frames, rows, config);
const LENGTH = 10;
const all = windows(segments(frames.index, HOUR), { length: LENGTH, stride: 1 });
const at = (i: number) => {
  const { start, length } = all.at(i);
  return Array.from({ length }, (_, k) => start + k);
};

describe('labels taken by position', () => {
  it('cannot be: rows in any order give every frame the label of its own time', () => {
    const byClass = [...rows].sort((a, b) => b.label - a.label);
    expect(joinLabels(frames, byClass, config).label).toEqual(labels.label);
  });
  it('cannot be: a frame that is missing shifts no label', () => {
    const kept = times.filter((_, f) => f !== 41);
    const fewer = { ...frames, index: frameIndex({ a: kept }) };
    const table = joinLabels(fewer, rows, LabelsConfig.parse({ file: 'labels.csv', unmatched: 'drop' }));
    expect([...table.label]).toEqual(kept.map((t) => (isStorm((t - times[0]) / HOUR) ? 1 : 0)));
    expect(() => joinLabels(fewer, rows, config)).toThrow(
      expect.objectContaining({
        tag: 'LabelJoinError',
        fields: expect.objectContaining({ labels: 1, frames: 0 }),
      }),
    );
  });
});

describe('files listed class folder by class folder', () => {
  const folderOf = (f: number) => (isStorm(f) ? 'storm' : 'calm');
  const byClass = [...times.keys()].sort((a, b) => folderOf(a).localeCompare(folderOf(b)) || a - b);

  it('are refused as a sequence: times must strictly increase', () => {
    const lost = frameIndex({ a: byClass.map((f) => times[f]) });
    expect(() => segments(lost, HOUR)).toThrow(
      expect.objectContaining({ tag: 'TimeError', fields: { frame: expect.any(Number), series: 'a' } }),
    );
    expect(() => segments(frameIndex({ a: [times[0], times[0]] }), HOUR)).toThrow(
      expect.objectContaining({ tag: 'TimeError' }),
    );
  });
  it('are labelled in the order of time, so that windows hold onsets', () => {
    const planned = byClass.map((f) => ({
      time: times[f],
      sources: [
        { path: `maps/${folderOf(f)}/${f}.tif`, size: 1, mtimeMs: 0, index: 0, bands: [{ from: 0, to: 0 }] },
      ],
    }));
    const classes = { calm: 0, storm: 1 } as const;
    const table = joinLabels(
      frames,
      folderLabels(new Map([['a', planned]]), classes),
      LabelsConfig.parse({ fromFolder: classes }),
    );
    expect(table.label).toEqual(labels.label);
    const onsets = Array.from({ length: all.length }, (_, i) => at(i)).filter(
      (w) => w.some((f) => labels.label[f] === 1) && w.some((f) => labels.label[f] === 0),
    );
    expect(onsets.length).toBe(4 * 2 * (LENGTH - 1));
  });
});

describe('windows and loops', () => {
  it('windows whose labels are all 0 are kept', () => {
    const calm = Array.from({ length: all.length }, (_, i) => at(i)).filter((w) =>
      w.every((f) => labels.label[f] === 0),
    );
    expect(all.length).toBe(COUNT - LENGTH + 1);
    expect(calm.length).toBe(all.length - 4 * (12 + LENGTH - 1));
  });
  it('an epoch reaches every window and every frame, the last third included', () => {
    const order = blockOrder({ windows: all.length, seed: 1, epoch: 0, blockWindows: 16, openBlocks: 4 });
    const reached = new Set(Array.from({ length: order.length }, (_, i) => order.at(i)));
    expect(reached.size).toBe(all.length);
    expect(new Set([...reached].flatMap(at)).size).toBe(COUNT);
  });
  it('windows overlap by all frames but the stride, and a stride that skips frames is refused', () => {
    for (let i = 1; i < all.length; i++) expect(at(i).slice(0, -1)).toEqual(at(i - 1).slice(1));
    expect(() =>
      windows([{ series: 0, start: 0, length: COUNT }], { length: LENGTH, stride: LENGTH + 1 }),
    ).toThrow(expect.objectContaining({ tag: 'ConfigError' }));
  });
  it('the reader holds a bounded number of frames, not the data', async () => {
    const store = memoryStore({ ...frames, values: new Float32Array(COUNT * 12) });
    const ring = frameRing(store, { capacityFrames: LENGTH });
    for (let i = 0; i < all.length; i++) (await ring.borrow(at(i))).release();
    expect([ring.values.length, ring.reads]).toEqual([LENGTH * 12, COUNT]);
  });
});

describe('the prior', () => {
  const prior = labels.label.reduce((n, l) => n + l, 0) / COUNT;
  const streamPrior = (stride: number) => {
    const list = windows(segments(frames.index, HOUR), { length: LENGTH, stride });
    const order = blockOrder({ windows: list.length, seed: 3, epoch: 0, blockWindows: 8, openBlocks: 2 });
    let [storm, count] = [0, 0];
    for (let i = 0; i < order.length; i++) {
      const { start, length } = list.at(order.at(i));
      count += length;
      for (let f = start; f < start + length; f++) storm += labels.label[f];
    }
    return storm / count;
  };
  it('of the stream is that of the files', () => {
    expect(prior).toBe(0.1);
    expect(streamPrior(LENGTH)).toBe(prior); // every frame once
    expect(Math.abs(streamPrior(1) - prior)).toBeLessThan(0.003); // but for the frames at both ends
  });
  it('of event-balanced draws is known, so that it can be undone', () => {
    const sampler = eventSampler({
      windows: all,
      timeline: { frame: (slot) => slot },
      labels,
      seed: 1,
      share: 0.5,
    });
    expect(sampler.prior).toBeGreaterThan(2 * prior);
    let storm = 0;
    for (let i = 0; i < 5000; i++) for (const f of at(sampler.at(0, i))) storm += labels.label[f];
    expect(Math.abs(storm / 5000 / LENGTH - sampler.prior)).toBeLessThan(0.01);
  });
});

describe('splits', () => {
  const blocks = SplitConfig.parse({ by: 'blocks', blocks: 2, fold: 1 });
  it('a random split by frame is refused unless its leak is accepted by name', () => {
    expect(SplitConfig.safeParse({ by: 'random', test: 0.3 }).success).toBe(false);
    const random = { by: 'random', test: 0.3, seed: 0 } as unknown as SplitConfig;
    expect(() => makeSplit(frames, labels, random, { windowLength: LENGTH })).toThrow(
      expect.objectContaining({ tag: 'LeakError' }),
    );
  });
  it('training and test share no frame and no window reaches across', () => {
    const { part } = makeSplit(frames, labels, blocks, { windowLength: LENGTH });
    const framesOf = (wanted: number) => {
      const list = windows(segments(frames.index, HOUR, { parts: partMask(part, wanted) }), {
        length: LENGTH,
        stride: 1,
      });
      return Array.from({ length: list.length }, (_, i) => list.at(i)).flatMap(({ start, length }) =>
        Array.from({ length }, (_, k) => start + k),
      );
    };
    const [train, test] = [framesOf(TRAIN), framesOf(TEST)];
    expect(Math.min(...test) - Math.max(...train)).toBeGreaterThanOrEqual(LENGTH);
  });
  it('statistics see training frames only', async () => {
    const { part } = makeSplit(frames, labels, blocks, { windowLength: LENGTH });
    const train = [...part.keys()].filter((f) => part[f] === TRAIN);
    const values = Float32Array.from({ length: COUNT * 12 }, (_, i) => Math.sin(i) * 10);
    const options = ChannelsConfig.parse({ anomaly: 'seasonal', laplacian: true });
    const before = await fitChannels(memoryStore({ ...frames, values }), train, options);
    const spoiled = values.map((v, i) => (part[Math.floor(i / 12)] === TRAIN ? v : 1e6));
    expect(await fitChannels(memoryStore({ ...frames, values: spoiled }), train, options)).toEqual(before);
    expect(before.fitted.frames).toBe(train.length);
  });
});
