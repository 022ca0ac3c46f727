import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMoving } from '../../pipeline/nn/index.js';
import {
  dispose,
  leaves,
  openBackend,
  type ParameterTree,
  type StoredTensor,
  tensorCount,
} from '../../pipeline/tensor/index.js';
import {
  fitModel,
  loadTrained,
  type StartReport,
  sanity,
  saveTrained,
  startText,
  type TrainedModel,
  writeSafetensors,
} from '../../pipeline/training/index.js';
import { modelConfig, small, trainingConfig } from './fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-initial-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ENCODER = { kind: 'resnet18', widths: [4, 5, 6, 7], attentionWidth: 3 } as const;
const model = (encoder: object = {}) =>
  modelConfig({ encoder: { ...ENCODER, ...encoder }, head: { kind: 'gru', units: 3 } } as never);
const training = (input: object = {}) =>
  trainingConfig({ steps: 3, batch: 2, weightDecay: 0.3, learningRate: 0.01, ...input });
const valuesOf = (tree: ParameterTree) =>
  new Map(leaves(tree).map(({ name, tensor }) => [name, [...tensor.dataSync()]]));
const release = (...models: TrainedModel[]) => {
  for (const { members } of models) dispose(members);
};

/** A run with two members, trained a little. */
const run = join(folder, 'run');
let kept: Map<string, number[]>[];

beforeAll(async () => {
  await openBackend();
  const trained = await fitModel({ ...small(), model: model(), training: training({ ensemble: 2 }) });
  await saveTrained(run, trained);
  kept = trained.members.map(valuesOf);
  release(trained);
});

describe('training from the weights of a run', () => {
  it('takes the encoder leaf by leaf, each member its own, and starts the head anew', async () => {
    const before = tensorCount();
    let report: StartReport | undefined;
    const trained = await fitModel({
      ...small(),
      model: model(),
      training: training({ init: run, steps: 1, ensemble: 3, learningRate: 1e-12 }),
      onStart: (said) => {
        report = said;
      },
    });
    for (const [i, member] of trained.members.entries())
      for (const [name, values] of valuesOf(member)) {
        const old = kept[i % 2].get(name)!;
        const distance = Math.max(...values.map((v, k) => Math.abs(v - old[k])));
        if (name.startsWith('encoder/') && !isMoving(name)) expect(distance, name).toBeLessThan(1e-6);
      }
    expect(valuesOf(trained.members[0]).get('head/gru/kernel')).not.toEqual(kept[0].get('head/gru/kernel'));
    expect(report!.taken).toEqual([...kept[0].keys()].filter((name) => name.startsWith('encoder/')));
    expect(report).toMatchObject({ fresh: [], extra: [], bands: null, path: run });
    expect(startText(report!)).toBe(
      `start: ${report!.taken.length} leaves of the encoder from ${run}; the head starts anew`,
    );
    expect(trained.training.initSha256).toMatch(/^[0-9a-f]{64}$/);
    release(trained);
    expect(tensorCount()).toBe(before);
  });

  it('frozen parts keep every value, moments included, under decay; all others move', async () => {
    const freeze = ['stem', 'block1', 'block3'];
    const trained = await fitModel({
      ...small(),
      model: model({ freeze }),
      training: training({ init: run }),
    });
    for (const [name, values] of valuesOf(trained.members[0])) {
      const frozen = freeze.some((part) => name.startsWith(`encoder/backbone/${part}/`));
      if (frozen) expect(values, name).toEqual(kept[0].get(name));
      else expect(values, name).not.toEqual(kept[0].get(name));
    }
    release(trained);
  });

  it('goes on after a stop with the bits of a run that was not stopped, frozen parts and all', async () => {
    const input = {
      ...small(),
      model: model({ freeze: ['stem', 'block1'], norm: 'batch' }),
      training: training({
        init: run,
        steps: 16,
        checkpointEvery: 2,
        learningRates: { 'encoder/backbone': 0.1, 'encoder/backbone/block4': 0.5 },
      }),
    };
    const straight = await fitModel(input);
    const stop = new AbortController();
    const checkpointDir = join(folder, 'checkpoints');
    const broken = fitModel({
      ...input,
      checkpointDir,
      signal: stop.signal,
      onProgress: ({ stage, done }) => stage === 'train' && done >= 1 && stop.abort(),
    });
    await expect(broken).rejects.toThrow();
    expect(existsSync(join(checkpointDir, 'member0.safetensors'))).toBe(true);
    const resumed = await fitModel({ ...input, checkpointDir, resume: true });
    expect(valuesOf(resumed.members[0])).toEqual(valuesOf(straight.members[0]));
    release(straight, resumed);
  });

  it('is kept in the saved model, which trains again only from the same file', async () => {
    const other = join(folder, 'other');
    const trained = await fitModel({ ...small(), model: model(), training: training({ init: run }) });
    await saveTrained(other, trained);
    const loaded = await loadTrained(other);
    const weights = join(run, 'model.safetensors');
    const bytes = readFileSync(weights);
    const changed = Buffer.from(bytes);
    changed[changed.length - 1] ^= 1;
    writeFileSync(weights, changed);
    try {
      await expect(
        fitModel({ ...small(), model: loaded.config, training: loaded.training }),
      ).rejects.toMatchObject({
        tag: 'SourceChangedError',
        fields: { expected: trained.training.initSha256 },
      });
    } finally {
      writeFileSync(weights, bytes);
    }
    release(trained, loaded);
  });

  it('is what the sanity check starts from too', async () => {
    const stop = new AbortController();
    const steps: number[] = [];
    const work = sanity({
      ...small(),
      model: model({ freeze: ['stem', 'block1', 'block2'] }),
      training: training({ init: run }),
      signal: stop.signal,
      onProgress: ({ stage, done }) => {
        if (stage === 'sanity') steps.push(done);
        if (steps.length === 3) stop.abort();
      },
    });
    await expect(work).rejects.toThrow();
    expect(steps).toEqual([1, 2, 3]);
  });
});

describe('training from a weights file', () => {
  const backbone = (change: (stored: Map<string, StoredTensor>) => void = () => {}) => {
    const tensors = new Map<string, StoredTensor>();
    for (const [name, values] of kept[0])
      if (name.startsWith('encoder/backbone/'))
        tensors.set(name, { shape: shapeOf.get(name)!, values: Float32Array.from(values) });
    change(tensors);
    return tensors;
  };
  let shapeOf: Map<string, number[]>;
  const file = join(folder, 'weights.safetensors');
  beforeAll(async () => {
    const trained = await loadTrained(run);
    shapeOf = new Map(leaves(trained.members[0]).map(({ name, tensor }) => [name, [...tensor.shape]]));
    release(trained);
  });
  const start = async (tensors: Map<string, StoredTensor>, input: object = {}, encoder: object = {}) => {
    await writeSafetensors(file, { tensors, metadata: {} });
    let report: StartReport | undefined;
    const trained = await fitModel({
      ...small({ bands: ['msl', 't2m', 'z500'] }),
      model: model(encoder),
      training: training({ init: file, steps: 1, ...input }),
      onStart: (said) => {
        report = said;
      },
    });
    release(trained);
    return report!;
  };

  it('takes the backbone alone, lays its first kernel over the channels there are, and says both', async () => {
    const report = await start(backbone());
    expect(report.taken.every((name) => name.startsWith('encoder/backbone/'))).toBe(true);
    expect(report.bands).toBe('first kernel: its 2 bands laid over 3, times 2/3');
    expect(startText(report)).toContain(
      'encoder/gate, encoder/attention, encoder/output and the head start anew',
    );
  });

  it.each([
    [
      'a leaf is missing',
      (t: Map<string, StoredTensor>) => t.delete('encoder/backbone/block2/unit1/first/norm/gamma'),
    ],
    [
      'another width',
      (t: Map<string, StoredTensor>) =>
        t.set('encoder/backbone/stem/norm/beta', { shape: [2], values: new Float32Array(2) }),
    ],
    ['nothing of it', (t: Map<string, StoredTensor>) => t.clear()],
  ])('refuses other backbones: %s', async (_, change) => {
    await expect(start(backbone(change))).rejects.toMatchObject({
      tag: 'ModelMismatchError',
      message: expect.stringContaining(`cannot start from ${file}`),
      fields: { path: file },
    });
  });

  it('refuses a file that is not there, and one that is no weights', async () => {
    const fit = (init: string) => fitModel({ ...small(), model: model(), training: training({ init }) });
    await expect(fit(join(folder, 'none'))).rejects.toMatchObject({
      tag: 'ModelMismatchError',
      fields: { path: join(folder, 'none') },
    });
    writeFileSync(join(folder, 'text.safetensors'), 'these are no weights at all');
    await expect(fit(join(folder, 'text.safetensors'))).rejects.toMatchObject({ tag: 'ModelMismatchError' });
  });

  it('is needed to freeze: random numbers are not frozen', async () => {
    await expect(
      fitModel({ ...small(), model: model({ freeze: ['stem'] }), training: training() }),
    ).rejects.toMatchObject({ tag: 'ConfigError', fields: { freeze: ['stem'] } });
  });
});

describe('learningRates', () => {
  it('multiply the step of the leaves they name, the longest name first', async () => {
    const rates = { 'encoder/backbone': 0.5, 'encoder/backbone/block2': 0.25 };
    const one = { init: run, steps: 1, weightDecay: 0, warmup: 0 };
    const fit = (input: object) =>
      fitModel({ ...small(), model: model(), training: training({ ...one, ...input }) });
    const [plain, mixed] = [await fit({}), await fit({ learningRates: rates })];
    const before = kept[0];
    const after = valuesOf(mixed.members[0]);
    for (const [name, values] of valuesOf(plain.members[0])) {
      if (!name.startsWith('encoder/') || isMoving(name)) continue;
      const factor = name.startsWith('encoder/backbone/block2/')
        ? 0.25
        : name.startsWith('encoder/backbone/')
          ? 0.5
          : 1;
      const old = before.get(name)!;
      values.forEach((value, k) => {
        expect(after.get(name)![k] - old[k], name).toBeCloseTo(factor * (value - old[k]), 5);
      });
    }
    release(plain, mixed);
  });

  it.each([
    ['encoder/backbon', {}, 'the model has no such part'],
    ['encoder/backbone/stem', { freeze: ['stem'] }, 'all of it is frozen'],
  ])('refuse %s', async (key, encoder, found) => {
    const learningRates = { [key]: 0.1 };
    await expect(
      fitModel({ ...small(), model: model(encoder), training: training({ init: run, learningRates }) }),
    ).rejects.toMatchObject({
      tag: 'ConfigError',
      message: expect.stringContaining(found),
      fields: { key },
    });
  });
});
