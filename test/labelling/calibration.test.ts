import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  applyCalibration,
  calibrationFolds,
  causalLatch,
  cellCentre,
  eventsOf,
  fillGaps,
  fitCalibration,
  fitPlatt,
  hysteresis,
  outOfFold,
  postProcess,
  sigmoid,
} from '../../pipeline/labelling/index.js';
import { centreCells, joinLabels } from '../../pipeline/labels/index.js';
import { makeSplit, TEST, TRAIN } from '../../pipeline/sequences/index.js';
import { memoryStore } from '../../pipeline/shards/index.js';
import { LabelsConfig, SplitConfig } from '../../schemas/config/index.js';
import { DAY, description, frameIndex, series, steps } from '../labels/frames.js';

const golden = JSON.parse(readFileSync(new URL('../golden/labelling_metrics.json', import.meta.url), 'utf8'));

/** Logits twice too sharp and 1.5 too high for labels drawn from them. */
function distorted(n: number) {
  const z = Float64Array.from({ length: n }, (_, i) => 3 * Math.sin(i * 12.9898) - 1);
  const y = Uint8Array.from(z, (v, i) =>
    (Math.abs(Math.sin(i * 78.233)) * 43758.5453) % 1 < sigmoid(v) ? 1 : 0,
  );
  return { logits: z.map((v) => 2 * v + 1.5), y, z };
}

describe('calibration', () => {
  it.each([0, 1, 2])('by Platt agrees with scikit-learn on the same smoothed targets, case %i', (i) => {
    const { z, y, platt } = golden[i];
    const { a, b } = fitPlatt(Float64Array.from(z), Uint8Array.from(y));
    expect(a).toBeCloseTo(platt.a, 4);
    expect(b).toBeCloseTo(platt.b, 4);
  });

  it('fits the prior alone below 5 events, a temperature below 15, two numbers from 15 on', () => {
    const { logits, y } = distorted(400);
    const four = fitCalibration(logits, y, 4, 0.7);
    expect(four).toMatchObject({ method: 'prior', a: 1, b: 0, prior: 0.7 });
    const ten = fitCalibration(logits, y, 10, 0.7);
    expect(ten).toMatchObject({ method: 'temperature', b: 0 });
    expect(ten.high).toBe(ten.low);
    expect(four.high).toBe(four.low);
    expect(fitCalibration(logits, y, 15, 0.7).method).toBe('platt');
  });

  it('undoes a known distortion, whatever the prior', () => {
    const { logits, y, z } = distorted(20000);
    for (const prior of [0, 2]) {
      const found = fitCalibration(logits, y, 100, prior, { high: 0.5 });
      const back = applyCalibration(found, logits);
      for (let i = 0; i < 50; i++) expect(Math.abs(sigmoid(back[i]) - sigmoid(z[i]))).toBeLessThan(0.03);
    }
  });

  it('never turns the order of the scores round', () => {
    const { logits, y } = distorted(500);
    const found = fitCalibration(
      logits.map((v) => -v),
      y,
      40,
      0,
    );
    expect(found.a).toBeGreaterThan(0);
    expect(found.fittedOn).toMatch(/do not tell storm from calm/);
  });

  it('leaves frames that are not judged out, and chooses thresholds that a lone threshold cannot beat', () => {
    const p = [0.1, 0.4, 0.9, 0.4, 0.4, 0.1, 0.4, 0.1, 0.4, 0.1, 0.8, 0.45, 0.1, 0.1];
    const y = [0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, -1];
    const logits = Float64Array.from(p, (v) => Math.log(v / (1 - v)));
    logits[13] = Number.NaN;
    const found = fitCalibration(logits, y, 20, 0, { fillGap: 0 });
    const probability = applyCalibration(found, logits).map((v) => (Number.isNaN(v) ? v : sigmoid(v)));
    const mask = postProcess(probability, [{ series: 0, start: 0, length: 14 }], found);
    expect([...mask]).toEqual([0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0]);
    expect(found.high).toBeGreaterThan(found.low);
  });
});

describe('post-processing', () => {
  it('never joins storms across segments, and bridges a bad frame only as a gap', () => {
    const p = [0.9, 0.9, 0.9, 0.2, 0.9, Number.NaN, 0.9];
    const cut = [
      { series: 0, start: 0, length: 3 },
      { series: 0, start: 3, length: 4 },
    ];
    const rules = { high: 0.5, low: 0.5, fillGap: 1, minimumRun: 1 };
    expect([...postProcess(p, cut, rules)]).toEqual([1, 1, 1, 0, 1, 1, 1]);
    expect([...postProcess(p, cut, { ...rules, fillGap: 0 })]).toEqual([1, 1, 1, 0, 1, 0, 1]);
    expect([...postProcess(p, [{ series: 0, start: 0, length: 7 }], rules)]).toEqual([1, 1, 1, 1, 1, 1, 1]);
    expect([...postProcess(p, cut, { ...rules, minimumRun: 4 })]).toEqual(new Array(7).fill(0));
  });

  it('latches causally: what came later changes nothing before', () => {
    const p = [0.4, 0.4, 0.6, 0.4, 0.2, 0.4];
    expect([...hysteresis(p, { high: 0.5, low: 0.3 })]).toEqual([1, 1, 1, 1, 0, 0]);
    expect([...causalLatch(p, { high: 0.5, low: 0.3 })]).toEqual([0, 0, 1, 1, 0, 0]);
    for (let n = 1; n <= p.length; n++)
      expect([...causalLatch(p.slice(0, n), { high: 0.5, low: 0.3 })]).toEqual(
        [...causalLatch(p, { high: 0.5, low: 0.3 })].slice(0, n),
      );
    expect([...fillGaps(Uint8Array.of(1, 0, 0, 1, 0, 1), 1)]).toEqual([1, 0, 0, 1, 1, 1]);
  });

  it('numbers events, finds their peak and their place, tiles turned upside down included', () => {
    const tile = { row: 117, column: 350, height: 4, width: 4, margin: 0, flip: true };
    const sourceGrid = {
      width: 360,
      height: 181,
      transform: [-0.5, 1, 0, 90.5, 0, -1] as [number, number, number, number, number, number],
      crs: 'EPSG:4326',
    };
    const grid = { width: 4, height: 4, transform: null, crs: 'EPSG:4326' };
    const own = description({ grid, sourceGrid, series: [series('a', { tile })] });
    const index = frameIndex({ a: steps('2026-03-25', 6) });
    const attention = new Float32Array(6 * 16);
    attention[2 * 16 + 3 * 4 + 1] = 1;
    const probability = [0.1, 0.6, 0.9, Number.NaN, 0.1, 0.7];
    const segments = [{ series: 0, start: 0, length: 6 }];
    const { events, event } = eventsOf({
      description: own,
      index,
      segments,
      probability,
      predicted: [0, 1, 1, 1, 0, 1],
      attention,
    });
    expect([...event]).toEqual([0, 1, 1, 1, 0, 2]);
    expect(events[0]).toMatchObject({
      event_id: 1,
      start: index.time[1],
      end: index.time[3],
      frames: 3,
      peak_time: index.time[2],
      peak_probability: 0.9,
      lat: -27,
      lon: -9,
    });
    expect(events[0].mean_probability).toBeCloseTo(0.75, 12);
    expect(events[1]).toMatchObject({ lat: null, lon: null });
    // The way back: the cell of that place is the cell looked at.
    const labels = {
      label: Int8Array.of(0, 0, 1, 0, 0, 0),
      lat: new Float32Array(6).fill(-27),
      lon: new Float32Array(6).fill(-9),
    };
    expect(centreCells({ description: own, index }, labels as never)[2]).toBe(13);
    expect(cellCentre(own, 'a', 0, 0)).toEqual({ lat: -30, lon: -10 });
  });
});

describe('out-of-fold logits', () => {
  const count = 200;
  const index = frameIndex({ a: steps('2000-01-01', count, DAY) });
  const storm = (i: number) => (i % 20 < 3 ? 1 : 0) as 0 | 1;
  const config = LabelsConfig.parse({ file: 'x.csv' });
  const make = () => {
    const store = memoryStore({
      description: description({ stepMs: DAY }),
      index,
      values: new Float32Array(count * 12),
    });
    const rows = Array.from(index.time, (time, i) => ({
      time,
      label: storm(i),
      series: null,
      event: null,
      ignore: 0 as const,
      lat: Number.NaN,
      lon: Number.NaN,
      where: '',
    }));
    const labels = joinLabels(store, rows, config);
    const split = makeSplit(
      store,
      labels,
      SplitConfig.parse({
        by: 'dates',
        train: ['2000-01-01', '2000-05-20'],
        test: ['2000-05-25', '2001-01-01'],
        embargo: '3d',
      }),
      { windowLength: 2 },
    );
    return { store, labels, split };
  };

  it('score every non-test frame by a model that was trained at least the embargo away, and no test frame', async () => {
    const { store, labels, split } = make();
    const { logit, folds } = await outOfFold({
      store,
      labels,
      split,
      folds: 3,
      fit: async (own) => new Set([...own.part.keys()].filter((f) => own.part[f] === TRAIN)),
      predict: async (trained, frames) => {
        for (const f of frames) {
          expect(split.part[f]).toBe(TRAIN);
          for (const t of trained) expect(Math.abs(t - f)).toBeGreaterThanOrEqual(3);
        }
        for (const t of trained) expect(split.part[t]).not.toBe(TEST);
        return Float32Array.from(frames, (f) => f);
      },
    });
    expect(folds).toBe(3);
    expect([...logit]).toEqual(Array.from(split.part, (p, f) => (p === TRAIN ? f : Number.NaN)));
  });

  it('keep an event whole in one fold and take finished folds from before', async () => {
    const { store, labels, split } = make();
    const made = calibrationFolds(store, labels, split, 4);
    for (const { part } of made)
      for (let f = 1; f < count; f++)
        if (labels.event[f] >= 0 && labels.event[f] === labels.event[f - 1] && split.part[f] === TRAIN)
          expect(part[f] === TEST).toBe(part[f - 1] === TEST);
    const kept = new Map<string, Float32Array>();
    let fits = 0;
    const input = {
      store,
      labels,
      split,
      folds: 4,
      fit: async () => ++fits,
      predict: async (_: number, frames: Uint32Array) => new Float32Array(frames.length),
      recall: async ({ hash }: { hash: string }) => kept.get(hash) ?? null,
      remember: async ({ hash }: { hash: string }, logits: Float32Array) => void kept.set(hash, logits),
    };
    await outOfFold(input);
    await outOfFold(input);
    expect(fits).toBe(4);
  });

  it('hold out neighbouring tiles together and leave out those that touch them', () => {
    const names = Array.from({ length: 12 }, (_, i) => `t${String(i).padStart(2, '0')}`);
    const own = description({
      series: names.map((name, i) => series(name, { footprint: [10 * i, 0, 10 * i + 15, 15] })),
      sourceGrid: { width: 360, height: 181, transform: null, crs: 'EPSG:4326' },
    });
    const tiles = frameIndex(Object.fromEntries(names.map((n) => [n, steps('2026-03-25', 2)])));
    const part = new Uint8Array(24);
    const split = {
      part,
      config: SplitConfig.parse({ by: 'series', train: ['t*'] }),
      hash: 'x',
      embargoMs: 0,
      leaky: false,
      notes: [],
    };
    const made = calibrationFolds(
      { description: own, index: tiles, hash: 'h' },
      { event: new Int32Array(24).fill(-1) } as never,
      split,
      3,
    );
    const text = made.map((fold) => [...fold.part].filter((_, i) => i % 2 === 0).join(''));
    expect(text).toEqual(['222230000000', '000322223000', '000000032222']);
  });
});
