import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seasonFeatures } from '../../pipeline/channels/index.js';
import { ModelMismatchError } from '../../pipeline/errors.js';
import { predictFrames } from '../../pipeline/labelling/stream.js';
import { buildModel } from '../../pipeline/models/index.js';
import { EVALUATION } from '../../pipeline/nn/index.js';
import { segments } from '../../pipeline/sequences/index.js';
import { type FrameStore, memoryStore } from '../../pipeline/shards/store.js';
import {
  dispose,
  openBackend,
  reshape,
  slice,
  tensor,
  tensorCount,
  tidy,
} from '../../pipeline/tensor/index.js';
import { fitModel, frameTensors, type TrainedModel } from '../../pipeline/training/index.js';
import { difference } from '../nn/fixtures.js';
import { modelConfig, small, trainingConfig } from './fixture.js';

const WINDOW = 6;
const made = small({ bad: [2, 44, 45] });
const { store } = made;
let trained: TrainedModel;
let encodes = 0;

beforeAll(async () => {
  await openBackend();
  trained = await fitModel({
    ...made,
    model: modelConfig({
      encoder: { kind: 'evidence', widths: [4], margin: 1 },
      head: { kind: 'gru', units: 4 },
      channels: { season: true },
    }),
    training: trainingConfig({ windowLength: WINDOW, steps: 25, ensemble: 2, learningRate: 0.02 }),
  });
});
afterAll(() => {
  for (const member of trained.members) dispose(member);
});

/** A store that counts the frames read and may change some. */
function watched(change?: (frame: number) => boolean): FrameStore {
  encodes = 0;
  const { description, index } = store;
  return {
    ...memoryStore({ description, index, values: new Float32Array(0) }),
    async read(frames, out) {
      encodes += frames.length;
      await store.read(frames, out);
      const size = 100 * description.bands.length;
      for (let i = 0; i < frames.length; i++)
        if (change?.(frames[i])) for (let k = 0; k < size; k++) out.values[i * size + k] += 30;
    },
  };
}

describe('predictFrames', () => {
  it('reads each good frame once, says how much context each had, gives NaN for bad ones, frees its tensors', async () => {
    const before = tensorCount();
    const { logit, context } = await predictFrames(trained, watched());
    expect(encodes).toBe(120 - 3);
    expect(tensorCount()).toBe(before);
    expect([...context.slice(0, 9)]).toEqual([1, 2, 3, 4, 5, 6, 6, 6, 6]);
    expect([...context.slice(20, 23)]).toEqual([1, 2, 3]);
    expect([...logit.keys()].filter((i) => Number.isNaN(logit[i]))).toEqual([2, 44, 45]);
  });

  it('equals the head run over every window on its own to 1e-5, whatever the chunk', async () => {
    const expected = await byWindows();
    for (const chunk of [1, 7, 64, 500]) {
      const { logit } = await predictFrames(trained, store, undefined, { chunk });
      const good = [...logit.keys()].filter((i) => store.index.ok[i] === 1);
      const found = good.map((i) => logit[i]);
      expect(
        difference(
          found,
          good.map((i) => expected[i]),
        ),
      ).toBeLessThan(1e-5);
    }
  });

  it('is causal: logits up to frame t do not change when later frames change', async () => {
    const t = 10;
    const plain = await predictFrames(trained, watched());
    const changed = await predictFrames(
      trained,
      watched((frame) => frame > t),
    );
    for (let i = 0; i <= t; i++)
      if (store.index.ok[i]) expect(Math.abs(changed.logit[i] - plain.logit[i])).toBeLessThan(1e-6);
    expect(Math.abs(changed.logit[t + 1] - plain.logit[t + 1])).toBeGreaterThan(1e-3);
  });

  it('forgets a frame once it is a window back', async () => {
    const plain = await predictFrames(trained, watched());
    const changed = await predictFrames(
      trained,
      watched((frame) => frame === 8),
    );
    const moved = [...plain.logit.keys()].filter((i) => Math.abs(changed.logit[i] - plain.logit[i]) > 1e-6);
    expect(moved).toEqual([8, 9, 10, 11, 12, 13]);
  });

  it('scores chosen frames with the same numbers, encoding only them and their context', async () => {
    const all = await predictFrames(trained, store);
    const frames = [12, 13, 30, 119];
    const some = await predictFrames(trained, watched(), frames);
    expect(
      difference(
        some.logit,
        frames.map((i) => all.logit[i]),
      ),
    ).toBeLessThan(1e-5);
    expect([...some.context]).toEqual([6, 6, 6, 6]);
    expect(encodes).toBe(7 + 6 + 6);
  });

  it('gives the mean logit of the members', async () => {
    const both = await predictFrames(trained, store);
    const [one, two] = await Promise.all(
      trained.members.map((member) => predictFrames({ ...trained, members: [member] }, store)),
    );
    for (const i of [0, 50, 119]) expect(both.logit[i]).toBeCloseTo((one.logit[i] + two.logit[i]) / 2, 5);
  });

  it('lays attention over the frame: not negative, sums to 1, zero in the margin and on bad frames', async () => {
    const { attention } = await predictFrames(trained, store, undefined, { attention: true });
    for (const frame of [0, 2, 119]) {
      const map = attention!.subarray(frame * 100, (frame + 1) * 100);
      const total = map.reduce((a, b) => a + b, 0);
      expect(total).toBeCloseTo(frame === 2 ? 0 : 1, 4);
      expect(Math.min(...map)).toBeGreaterThanOrEqual(0);
      for (let k = 0; k < 10; k++)
        expect([map[k], map[90 + k], map[k * 10], map[k * 10 + 9]]).toEqual([0, 0, 0, 0]);
    }
  });

  it('refuses a dataset with other bands or another grid', async () => {
    const bands = await predictFrames(trained, small({ bands: ['msl', 'sst'] }).store).catch((e) => e);
    expect(bands).toBeInstanceOf(ModelMismatchError);
    expect(bands.fields).toEqual({ found: ['msl', 'sst'], expected: ['msl', 't2m'] });
    const grid = await predictFrames(trained, small({ size: 12 }).store).catch((e) => e);
    expect(grid).toBeInstanceOf(ModelMismatchError);
    expect(grid.message).toMatch(/its grid is 12 x 12 cells.*trained on 10 x 10 cells/);
  });
});

/** The plain definition: for each frame, encoder and head over its last WINDOW good frames, from zero. */
async function byWindows(): Promise<Float64Array> {
  const { index, description } = store;
  const model = buildModel(trained.config, trained.shape);
  const all = Int32Array.from(index.time.keys()).filter((i) => index.ok[i] === 1);
  const frames = await frameTensors(store, trained.channels, { frames: all, atOnce: 1 });
  const logits = new Float64Array(index.length);
  for (const { start, length } of segments(index, description.stepMs))
    for (let k = 0; k < length; k++) {
      const last = start + k;
      const seen = [...Array(Math.min(k + 1, WINDOW)).keys()].map((j) => last - j).reverse();
      const good = Int32Array.from(seen).filter((i) => index.ok[i] === 1);
      if (index.ok[last] !== 1) continue;
      const x = await frames.take(good);
      for (const member of trained.members)
        logits[last] +=
          tidy(() => {
            const { features } = model.encode(member, x, EVALUATION);
            const season = tensor(
              [...good].flatMap((i) => seasonFeatures(index.time[i])),
              [1, good.length, 4],
            );
            const windowed = reshape(features, [1, good.length, model.featureCount]);
            const run = model.head(
              member,
              { features: windowed, season, valid: null, state: null },
              EVALUATION,
            );
            return slice(run.logits, [0, good.length - 1, 0], [1, 1, 1]);
          }).dataSync()[0] / 2;
      x.dispose();
    }
  await frames.close();
  return logits;
}
