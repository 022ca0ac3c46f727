import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../pipeline/errors.js';
import { predictFrames, refuseBothWays } from '../../pipeline/labelling/index.js';
import { buildModel } from '../../pipeline/models/index.js';
import { EVALUATION } from '../../pipeline/nn/index.js';
import { segments } from '../../pipeline/sequences/index.js';
import { dispose, openBackend, reshape, tensor, tensorCount, tidy } from '../../pipeline/tensor/index.js';
import { overlapping } from '../../pipeline/training/bothWays.js';
import {
  fitModel,
  frameTensors,
  loadTrained,
  saveTrained,
  type TrainedModel,
} from '../../pipeline/training/index.js';
import { difference } from '../nn/fixtures.js';
import { modelConfig, small, trainingConfig } from './fixture.js';

const WINDOW = 6;
const made = small({ bad: [2, 44], seriesCount: 4, frames: 15 });
const { store } = made;
const folder = await mkdtemp(join(tmpdir(), 'stormreel-heads-'));

beforeAll(async () => {
  await openBackend();
});
afterAll(() => rm(folder, { recursive: true }));

const fit = (head: object): Promise<TrainedModel> =>
  fitModel({
    ...made,
    model: modelConfig({ encoder: { kind: 'evidence', widths: [4] }, head: head as { kind: 'gru' } }),
    training: trainingConfig({ windowLength: WINDOW, steps: 8, learningRate: 0.02 }),
  });
const free = (trained: TrainedModel) => {
  for (const member of trained.members) dispose(member);
};

describe.each([
  { kind: 'gru', units: 3, reset: 'before' },
  { kind: 'lstm', units: 3, forgetBias: false },
  { kind: 'tcn', units: 3, dilations: [1, 2] },
  { kind: 'lstm', units: 3, bidirectional: true },
])('a model with head $kind $reset $bidirectional', (head) => {
  it('trains, is saved and loaded, and labels the same whatever the chunk and the frames asked for', async () => {
    const trained = await fit(head);
    const before = tensorCount();
    const { logit } = await predictFrames(trained, store);
    expect([...logit.keys()].filter((i) => Number.isNaN(logit[i]))).toEqual([2, 44]);
    await saveTrained(folder, trained);
    const loaded = await loadTrained(folder);
    for (const chunk of [4, 7]) {
      const found = await predictFrames(loaded, store, undefined, { chunk });
      expect(difference(found.logit.map(zeroed), logit.map(zeroed))).toBeLessThan(1e-5);
    }
    free(loaded);
    const wanted = [0, 9, 43, 59];
    const some = await predictFrames(trained, store, wanted);
    expect(
      difference(
        some.logit,
        wanted.map((i) => logit[i]),
      ),
    ).toBeLessThan(1e-5);
    expect(tensorCount()).toBe(before);
    free(trained);
  });
});

const zeroed = (v: number) => (Number.isNaN(v) ? 0 : v);

describe('a head that reads both ways', () => {
  it('covers every frame of a segment with windows that overlap, the last aligned to its end', () => {
    for (const length of [1, 3, 6, 7, 20, 23]) {
      const spans = overlapping([{ series: 0, start: 5, length }], 8);
      const seen = new Array(length).fill(0);
      for (const span of spans) for (let k = 0; k < span.length; k++) seen[span.start - 5 + k]++;
      expect(Math.min(...seen)).toBeGreaterThan(0);
      expect(spans.at(-1)!.start + spans.at(-1)!.length).toBe(5 + length);
      expect(new Set(spans.map(({ start }) => start)).size).toBe(spans.length);
    }
    expect(overlapping([{ series: 0, start: 0, length: 20 }], 8).map(({ start }) => start)).toEqual([
      0, 2, 4, 6, 8, 10, 12,
    ]);
  });

  it('gives the mean of the windows, weighed by the distance to their ends', async () => {
    const trained = await fit({ kind: 'gru', units: 3, bidirectional: true });
    const { logit, context } = await predictFrames(trained, store);
    const expected = await byWindows(trained);
    const good = [...logit.keys()].filter((i) => store.index.ok[i] === 1);
    expect(
      difference(
        good.map((i) => logit[i]),
        good.map((i) => expected[i]),
      ),
    ).toBeLessThan(1e-5);
    expect(new Set(context)).toEqual(new Set([WINDOW]));
    free(trained);
  });

  it('is refused where frames are labelled as they come, with the cure', async () => {
    const trained = await fit({ kind: 'gru', units: 2, bidirectional: true });
    const refused = () => refuseBothWays(trained, 'watch');
    expect(refused).toThrowError(ConfigError);
    expect(refused).toThrowError(/cannot watch: the model's gru reads later frames too/);
    expect(refused).toThrowError(
      expect.objectContaining({ hint: expect.stringContaining('head.bidirectional: false') }),
    );
    const causal = { ...trained, config: modelConfig({ head: { kind: 'gru' } }) };
    expect(() => refuseBothWays(causal, 'watch')).not.toThrow();
    free(trained);
  });
});

/** Each window by itself, from the features of its own frames. */
async function byWindows({ config, shape, channels, members }: TrainedModel): Promise<Float64Array> {
  const model = buildModel(config, shape);
  const { index, description } = store;
  const all = Int32Array.from(index.ok.keys());
  const frames = await frameTensors(store, channels, { frames: all, atOnce: all.length });
  const [sum, weight] = [new Float64Array(index.length), new Float64Array(index.length)];
  for (const { start, length } of overlapping(segments(index, description.stepMs), WINDOW)) {
    const own = Int32Array.from({ length }, (_, k) => start + k);
    const x = await frames.take(own);
    const logits = tidy(() => {
      const { features } = model.encode(members[0], x, EVALUATION);
      const valid = tensor(
        own.map((f) => index.ok[f]),
        [1, length],
      );
      const inputs = { features: reshape(features, [1, length, -1]), valid, season: null, state: null };
      return model.head(members[0], inputs, EVALUATION).logits.dataSync();
    });
    x.dispose();
    for (let k = 0; k < length; k++) {
      const own = Math.min(k + 1, length - k);
      sum[start + k] += own * logits[k];
      weight[start + k] += own;
    }
  }
  await frames.close();
  return sum.map((total, i) => total / weight[i]);
}
