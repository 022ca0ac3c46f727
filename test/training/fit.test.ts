import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, ModelMismatchError } from '../../pipeline/errors.js';
import {
  dispose,
  leaves,
  openBackend,
  type ParameterTree,
  tensorCount,
} from '../../pipeline/tensor/index.js';
import {
  type FitInput,
  fitModel,
  loadTrained,
  readSafetensors,
  sanity,
  saveTrained,
  type TrainedModel,
  writeSafetensors,
} from '../../pipeline/training/index.js';
import { modelConfig, small, trainingConfig } from './fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-fit-'));
beforeAll(async () => {
  await openBackend();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const made = small();
const GRU = { kind: 'gru', units: 3 };
const input = (training: object = {}, model: object = {}, more: Partial<FitInput> = {}): FitInput => ({
  ...made,
  model: modelConfig({ encoder: { kind: 'evidence', widths: [4] }, ...model }),
  training: trainingConfig(training),
  ...more,
});
const values = (members: ParameterTree[]) =>
  members.flatMap((member) => leaves(member).map(({ name, tensor }) => [name, ...tensor.dataSync()]));
const free = (...models: TrainedModel[]) => {
  for (const { members } of models) for (const member of members) dispose(member);
};
const lines = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const refusal = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error) => error,
  );

describe('fitModel', () => {
  it('gives the same bytes for the same seed, whether frames are held or streamed, and leaves only the members', async () => {
    const before = tensorCount();
    const one = await fitModel(input({ ensemble: 2, noise: 0.2 }, { head: GRU }));
    expect(tensorCount()).toBe(before + one.members.length * leaves(one.members[0]).length);
    const two = await fitModel(input({ ensemble: 2, noise: 0.2 }, { head: GRU }));
    expect(values(two.members)).toEqual(values(one.members));
    expect(one.seeds).toEqual([0, 1]);
    expect(values([one.members[0]])).not.toEqual(values([one.members[1]]));
    const streamed = await fitModel(input({ noise: 0.2, batch: 3 }, { head: GRU }, { budgetBytes: 70_000 }));
    expect(leaves(streamed.members[0]).map(({ name }) => name)).toEqual(
      leaves(one.members[0]).map(({ name }) => name),
    );
    free(one, two, streamed);
    expect(tensorCount()).toBe(before);
  });

  it('keeps the number of tensors flat from step to step', async () => {
    const seen: number[] = [];
    const trained = await fitModel(
      input(
        { steps: 30, mirror: true, shift: 1, noise: 0.1, centre: 0.3 },
        { encoder: { kind: 'cnn', widths: [4, 6] }, head: GRU },
        {
          onProgress: ({ stage }) => stage === 'train' && seen.push(tensorCount()),
        },
      ),
    );
    expect(seen.length).toBeGreaterThan(3);
    expect(new Set(seen).size).toBe(1);
    free(trained);
  });

  it('weighs positives by the training frames alone and records the prior used', async () => {
    const trained = await fitModel(input({ steps: 2 }));
    // 4 training series of 20 frames, 7 of them storm
    expect(trained.positives).toBe(28);
    expect(trained.negatives).toBe(52);
    expect(trained.prior).toBeCloseTo(Math.log(52 / 28), 12);
    free(trained);
  });

  it('writes one line a step with loss, rate, frames a second and, where evaluated, validation AP', async () => {
    const log = join(folder, 'log.jsonl');
    const trained = await fitModel(input({ steps: 10, evaluateEvery: 5 }, {}, { log }));
    const found = lines(log);
    expect(found.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(found.filter((r) => 'validationAp' in r).map(({ step }) => step)).toEqual([5, 10]);
    for (const record of found) {
      expect(record.loss).toBeGreaterThan(0);
      expect(record.framesPerSecond).toBeGreaterThan(0);
      expect(record.waiting).toBeLessThanOrEqual(1);
    }
    expect(found[9].validationAp).toBeGreaterThan(0);
    free(trained);
  });

  it('learns: validation AP far over the base rate after a few hundred steps', async () => {
    const log = join(folder, 'learns.jsonl');
    const trained = await fitModel(
      input({ steps: 200, evaluateEvery: 200, learningRate: 0.01, centre: 0.3 }, {}, { log }),
    );
    expect(lines(log).at(-1).validationAp).toBeGreaterThan(0.8); // base rate .35
    free(trained);
  });

  it('stops early and keeps the parameters of the best evaluation', async () => {
    const log = join(folder, 'patience.jsonl');
    const trained = await fitModel(
      input({ steps: 400, evaluateEvery: 4, patience: 3, learningRate: 0.02 }, {}, { log }),
    );
    const aps = lines(log).flatMap((r) => ('validationAp' in r ? [r.validationAp as number] : []));
    expect(aps.length).toBeLessThan(100);
    const best = aps.indexOf(Math.max(...aps));
    expect(aps.length - 1 - best).toBe(3);
    free(trained);
  });

  it('refuses a training part of one class, and patience without a validation part', async () => {
    const calm = small();
    calm.labels.label.fill(0);
    const one = await refusal(fitModel({ ...input(), labels: calm.labels }));
    expect(one).toBeInstanceOf(ConfigError);
    expect(one.fields).toEqual({ positives: 0, negatives: 80 });
    const part = made.split.part.map((p) => (p === 1 ? 4 : p));
    const two = await refusal(fitModel({ ...input({ patience: 2 }), split: { ...made.split, part } }));
    expect(two).toBeInstanceOf(ConfigError);
    expect(two.fields).toEqual({ patience: 2 });
  });

  it('goes on without harm when batches hold storms only or none', async () => {
    for (const keep of [0, 1]) {
      const one = small();
      // only one frame of the other class, far from most windows
      one.labels.label.fill(keep);
      one.labels.label[0] = 1 - keep;
      const trained = await fitModel({ ...input({ steps: 8, batch: 2 }), labels: one.labels });
      for (const [, ...numbers] of values(trained.members))
        for (const number of numbers) expect(Number.isFinite(number)).toBe(true);
      free(trained);
    }
  });

  it('stops with the step named when the loss is no longer a number', async () => {
    const error = await refusal(fitModel(input({ learningRate: 1e30, clip: 1e30, steps: 50 })));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(
      /the (loss is|gradients have norm) (NaN|Infinity|-Infinity) at step \d+; .*encoder\/conv0\/kernel/,
    );
  });

  it('stops where it was asked to, and resumes to the bytes of an undisturbed run', async () => {
    const whole = await fitModel(
      input({ steps: 30, ensemble: 2, noise: 0.1 }, {}, { log: join(folder, 'whole.jsonl') }),
    );
    const resumable = {
      checkpointDir: join(folder, 'checkpoints'),
      log: join(folder, 'cut.jsonl'),
      resume: true,
    };
    for (const stopAt of [7, 38, 52]) {
      const controller = new AbortController();
      const onProgress: FitInput['onProgress'] = ({ stage, done }) => {
        if (stage === 'train' && done >= stopAt) controller.abort();
      };
      const cut = input(
        { steps: 30, ensemble: 2, noise: 0.1 },
        {},
        { ...resumable, onProgress, signal: controller.signal },
      );
      await refusal(fitModel(cut));
    }
    const resumed = await fitModel(input({ steps: 30, ensemble: 2, noise: 0.1 }, {}, resumable));
    expect(values(resumed.members)).toEqual(values(whole.members));
    const order = (name: string) => lines(join(folder, name)).map((r) => [r.member, r.step, r.order, r.loss]);
    expect(order('cut.jsonl')).toEqual(order('whole.jsonl'));
    const again = await fitModel(input({ steps: 30, ensemble: 2, noise: 0.1 }, {}, resumable));
    expect(values(again.members)).toEqual(values(whole.members));
    free(whole, resumed, again);
  });

  it('does not resume from a checkpoint of another configuration', async () => {
    const checkpointDir = join(folder, 'other');
    const one = await fitModel(input({ steps: 6 }, {}, { checkpointDir }));
    const fresh = await fitModel(input({ steps: 6, learningRate: 0.001 }));
    const two = await fitModel(input({ steps: 6, learningRate: 0.001 }, {}, { checkpointDir, resume: true }));
    expect(values(two.members)).toEqual(values(fresh.members));
    free(one, two, fresh);
  });
});

describe('sanity', () => {
  it.each([
    [{ kind: 'evidence', widths: [8, 16] }, { kind: 'none' }],
    [{ kind: 'evidence', widths: [8] }, GRU],
    [{ kind: 'cnn', widths: [8, 16] }, GRU],
  ])('overfits eight sequences to 100 %%: %o, head %o', async (encoder, head) => {
    const before = tensorCount();
    const found = await sanity(input({ learningRate: 0.01 }, { encoder, head }));
    expect(found.accuracy).toBe(1);
    expect(found.frames).toBe(48);
    expect(found.positives).toBeGreaterThan(0);
    expect(tensorCount()).toBe(before);
  });
});

describe('saveTrained and loadTrained', () => {
  it('give back the record and every weight', async () => {
    const run = join(folder, 'run');
    const trained = await fitModel(
      input({ steps: 2, ensemble: 2 }, { head: GRU, channels: { laplacian: true } }),
    );
    await saveTrained(run, trained);
    const loaded = await loadTrained(run);
    expect(values(loaded.members)).toEqual(values(trained.members));
    const { members: _, ...record } = loaded;
    expect(record).toEqual(JSON.parse(JSON.stringify({ ...trained, members: undefined })));
    free(trained, loaded);
  });

  it('name every leaf that is missing, extra or of another shape', async () => {
    const run = join(folder, 'broken');
    const trained = await fitModel(input({ steps: 2 }));
    await saveTrained(run, trained);
    const path = join(run, 'model.safetensors');
    const stored = await readSafetensors(path);
    stored.tensors.delete('member0/encoder/gain');
    stored.tensors.set('member0/encoder/more', { shape: [1], values: Float32Array.of(1) });
    stored.tensors.set('member0/encoder/bias', { shape: [2], values: Float32Array.of(1, 2) });
    await writeSafetensors(path, stored);
    const before = tensorCount();
    const error = await refusal(loadTrained(run));
    expect(error).toBeInstanceOf(ModelMismatchError);
    expect(error.fields.missing).toEqual(['member0/encoder/gain']);
    expect(error.fields.extra).toEqual(['member0/encoder/more']);
    expect(error.fields.shapes).toEqual(['member0/encoder/bias: [2], expected [1]']);
    expect(tensorCount()).toBe(before);
    free(trained);
  });

  it('say what to do when there is no model', async () => {
    const error = await refusal(loadTrained(join(folder, 'nowhere')));
    expect(error).toBeInstanceOf(ModelMismatchError);
    expect(error.hint).toMatch(/stormreel train/);
  });
});
