import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  anomalyAlarms,
  anomalyMetrics,
  chooseFrames,
  type FittedAnomaly,
  fitAnomaly,
  loadAnomaly,
  saveAnomaly,
  scoreFrames,
  scoreRows,
  thin,
} from '../../pipeline/anomaly/index.js';
import type { Progress } from '../../pipeline/progress.js';
import { Random } from '../../pipeline/random.js';
import { memoryStore } from '../../pipeline/shards/index.js';
import { dispose, leaves, openBackend, readTree, tensorCount } from '../../pipeline/tensor/index.js';
import { small } from '../training/fixture.js';
import { anomalyConfig, made } from './fixture.js';

const STRANGE = [335, 350, 351, 352, 380];
const BAD = 360;
const data = made({ strange: STRANGE, bad: [BAD, 40] });
const folder = mkdtempSync(join(tmpdir(), 'stormreel-anomaly-'));
const steps: Progress[] = [];
let fitted: FittedAnomaly;
let [before, after] = [0, 0];

beforeAll(async () => {
  await openBackend();
  before = tensorCount();
  fitted = await fitAnomaly({ ...data, config: anomalyConfig(), onProgress: (step) => steps.push(step) });
  after = tensorCount();
});
afterAll(() => {
  dispose(fitted.model.parameters);
  rmSync(folder, { recursive: true, force: true });
});

/** All that was fitted, as plain values. */
async function facts({ model }: FittedAnomaly): Promise<unknown> {
  const { parameters, datasetHash: _, ...rest } = model;
  return { ...rest, parameters: [...(await readTree(parameters))] };
}

describe('fitAnomaly()', () => {
  it('leaves no tensor but the parameters, and reports its progress', () => {
    expect(after - before).toBe(leaves(fitted.model.parameters).length);
    expect(new Set(steps.map(({ stage }) => stage))).toEqual(
      new Set(['channel statistics', 'features', 'anomaly']),
    );
    expect(steps[steps.length - 1]).toMatchObject({ stage: 'anomaly', done: 60, total: 60 });
  });

  it('says what it learned from and how far its p-values reach', () => {
    const { fit, calibration, features, threshold } = fitted.model;
    expect(fit).toMatchObject({ frames: 239, words: expect.stringMatching(/validation/) });
    expect(features.count).toBe(4);
    expect(calibration.frames).toBe(75);
    expect(calibration.scores.length).toBeLessThan(75);
    expect(calibration.smallestP).toBe(1 / (calibration.scores.length + 1));
    expect(threshold).toBeNull(); // under 100 held-out scores
  });

  it('gives the same bytes for the same seed, whatever the test frames hold', async () => {
    const values = new Float32Array(400 * 64);
    await data.store.read([...data.store.index.time.keys()], { values, valid: new Uint8Array(400 * 64) });
    for (let frame = 325; frame < 400; frame++) values.fill(-7e5 * frame, frame * 64, (frame + 1) * 64);
    const store = memoryStore({ ...data.store, values });
    const other = await fitAnomaly({ ...data, store, config: anomalyConfig() });
    expect(await facts(other)).toEqual(await facts(fitted));
    dispose(other.model.parameters);
  });

  it('stops when asked to', async () => {
    const signal = AbortSignal.abort();
    await expect(fitAnomaly({ ...data, config: anomalyConfig(), signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(tensorCount()).toBe(after);
  });

  it('says so when no frame is left to learn from', async () => {
    const split = { ...data.split, part: data.split.part.map((p) => (p === 0 ? 4 : p)) };
    await expect(fitAnomaly({ ...data, split, config: anomalyConfig() })).rejects.toMatchObject({
      tag: 'ConfigError',
      fields: { frames: 0 },
    });
  });
});

describe('scoreFrames()', () => {
  it('gives planted anomalies high scores and the smallest p-values', async () => {
    const { score, p, pca, norm } = await scoreFrames(fitted.model, data.store);
    const calm = score.filter((s, f) => !STRANGE.includes(f) && !Number.isNaN(s)).sort();
    const high = calm[Math.floor(0.99 * calm.length)];
    for (const frame of STRANGE) {
      expect(score[frame], `${frame}`).toBeGreaterThan(high);
      expect(p[frame], `${frame}`).toBe(fitted.model.calibration.smallestP);
      expect(norm[frame]).toBeGreaterThan(2);
    }
    expect(pca.filter((v) => v < 0)).toHaveLength(0);
  });

  it('gives a bad frame nothing and changes nothing that does not see it', async () => {
    const scores = await scoreFrames(fitted.model, data.store);
    const rows = scoreRows(data.store, scores, data.split);
    expect(rows[BAD]).toEqual({
      series: 'a',
      time: data.store.index.time[BAD],
      score: null,
      window_score: null,
      p_value: null,
      pca: null,
      persistence: null,
      norm: null,
      split: 'test',
    });
    expect(rows[0]).toMatchObject({ persistence: null, split: 'train' });
    expect(rows[BAD + 1].persistence).toBeNull(); // nothing to compare with
    expect(rows.filter(({ score }) => score === null)).toHaveLength(2);
    const whole = await scoreFrames(fitted.model, made({ strange: STRANGE }).store);
    for (const frame of [BAD - 1, BAD + 4]) expect(scores.score[frame]).toBeCloseTo(whole.score[frame], 4);
    expect(whole.score[BAD]).not.toBeNaN();
  });

  it('keeps the largest score of each window', async () => {
    const { score, window } = await scoreFrames(fitted.model, data.store);
    for (const frame of [0, 2, 337, 353, 363]) {
      const seen = score.slice(Math.max(0, frame - 3), frame + 1).filter((s) => !Number.isNaN(s));
      expect(window[frame]).toBe(Math.max(...seen));
    }
  });

  it('gives an infinite cell no score and no other frame a wrong one', async () => {
    const values = new Float32Array(400 * 64);
    await data.store.read([...data.store.index.time.keys()], { values, valid: new Uint8Array(400 * 64) });
    values[370 * 64 + 5] = Number.POSITIVE_INFINITY;
    const found = await scoreFrames(fitted.model, memoryStore({ ...data.store, values }));
    expect(found.score[370]).toBeNaN();
    expect(found.score.filter(Number.isNaN)).toHaveLength(3);
  });

  it('raises false alarms on fresh calm frames as often as it says, inside the binomial interval', async () => {
    const { model } = fitted;
    const fresh = made({ frames: 1200, seed: 77 }).store;
    const { p } = await scoreFrames(model, fresh);
    const [blockMs, alpha] = [model.calibration.lag * 6 * 3_600_000, 0.2];
    const { series, time } = fresh.index;
    const kept = thin({ frames: [...p.keys()], series, time, blockMs }, Random.from(1));
    const rate = kept.filter((f) => p[f] <= alpha).length / kept.length;
    const sd = Math.sqrt(alpha * (1 - alpha) * (1 / kept.length + 1 / model.calibration.scores.length));
    expect(Math.abs(rate - alpha)).toBeLessThan(2.6 * sd);
  });

  it('refuses a dataset with other bands', async () => {
    const { store } = made({ frames: 10, band: 'z500' });
    await expect(scoreFrames(fitted.model, store)).rejects.toMatchObject({
      tag: 'ModelMismatchError',
      fields: { found: ['z500'], expected: ['msl'] },
    });
    expect(tensorCount()).toBe(after);
  });
});

describe('a saved model', () => {
  it('gives the same scores when loaded, and the same facts', async () => {
    await saveAnomaly(folder, fitted.model);
    const loaded = await loadAnomaly(folder);
    const [a, b] = [await scoreFrames(fitted.model, data.store), await scoreFrames(loaded, data.store)];
    expect(b).toEqual(a);
    const { parameters: _, ...record } = loaded;
    const { parameters: __, ...expected } = fitted.model;
    expect(record).toEqual(expected);
    dispose(loaded.parameters);
    expect(tensorCount()).toBe(after);
  });
  it('that is not there is a typed error', async () => {
    await expect(loadAnomaly(join(folder, 'none'))).rejects.toMatchObject({
      tag: 'ModelMismatchError',
      hint: expect.stringMatching(/anomaly fit/),
    });
  });
});

describe('anomalyMetrics()', () => {
  it('ranks the planted storms of the test part by all four scores on the same frames', async () => {
    const scores = await scoreFrames(fitted.model, data.store);
    const found = anomalyMetrics({ ...data, model: fitted.model, scores }, { draws: 20 });
    expect(found.map(({ name }) => name)).toEqual([
      'sequence autoencoder (GRU)',
      'PCA residual',
      'persistence',
      'norm',
    ]);
    expect(found[0].auroc.value).toBeGreaterThan(0.97);
    expect(found[3].auroc.value).toBeGreaterThan(0.97);
    expect(found[0].auroc).toMatchObject({
      ci95: null,
      reason: expect.stringMatching(/not estimable: 5 events/),
    });
    const [low] = anomalyAlarms({ ...data, model: fitted.model, scores });
    expect(low).toMatchObject({ alpha: 0.05, frames: 69 });
    expect(low.share).toBeLessThan(0.2);
    // Of nine calibration scores none can have a p-value below 0.1: saying "0 % of 5 %" would look like success.
    const coarse = { calibration: { ...fitted.model.calibration, smallestP: 0.1 } };
    expect(anomalyAlarms({ ...data, model: coarse, scores }).map(({ alpha }) => alpha)).toEqual([0.1, 0.2]);
    const none = { ...data.split, part: data.split.part.map((p) => (p === 2 ? 3 : p)) };
    expect(anomalyMetrics({ ...data, split: none, model: fitted.model, scores })).toEqual([]);
  });
});

describe('chooseFrames()', () => {
  it('holds out series where the test part is of other series, and none that overlaps them to learn from', () => {
    const { store, labels, split } = small({ seriesCount: 10, frames: 20 });
    const part = store.index.series.map((s) => (s >= 8 ? 2 : 0));
    const series = store.description.series.map((one, i) => ({
      ...one,
      footprint: [6 * i, 40, 6 * i + 10, 50] as [number, number, number, number], // touches the next one
    }));
    const placed = { ...store, description: { ...store.description, series } };
    const chosen = chooseFrames(placed, {
      labels,
      split: { ...split, part: Uint8Array.from(part) },
      config: anomalyConfig(),
    });
    const seriesOf = (frames: Uint32Array) => [...new Set(Array.from(frames, (f) => store.index.series[f]))];
    expect(seriesOf(chosen.calibration)).toEqual([6, 7]);
    expect(seriesOf(chosen.fit)).toEqual([0, 1, 2, 3, 4]);
    expect(chosen.words).toMatch(/of 5 training series; calibrated on calm frames of 2 others/);
  });

  it('holds out the last quarter of the time, one window apart, where there is no validation part', () => {
    const split = { ...data.split, part: data.split.part.map((p) => (p === 1 || p === 3 ? 4 : p)) };
    const { fit, calibration } = chooseFrames(data.store, { labels: null, split, config: anomalyConfig() });
    expect(calibration[0] - fit[fit.length - 1]).toBe(5);
    expect(calibration[0]).toBeGreaterThan(175);
    expect(Math.max(...calibration)).toBe(239);
  });
});

describe('pictures without times', () => {
  it('are scored one by one', async () => {
    const pictures = made({ frames: 80, time: 'none', strange: [70] });
    const config = anomalyConfig({ windowLength: 1, steps: 20, cell: 'lstm' });
    const { model } = await fitAnomaly({ store: pictures.store, labels: null, split: null, config });
    expect(model.calibration).toMatchObject({ frames: 20, smallestP: 1 / 21 });
    const { score, window, persistence } = await scoreFrames(model, pictures.store);
    expect(score.every(Number.isFinite)).toBe(true);
    expect(window).toEqual(score);
    expect(persistence.every(Number.isNaN)).toBe(true);
    dispose(model.parameters);
    expect(tensorCount()).toBe(after);
  });
});
