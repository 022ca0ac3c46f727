import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import h5wasm, { File } from 'h5wasm/node';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { command } from '../../cli/model.js';
import { layoutOf } from '../../pipeline/keras/index.js';
import { buildModel } from '../../pipeline/models/index.js';
import { EVALUATION } from '../../pipeline/nn/index.js';
import { Random } from '../../pipeline/random.js';
import { dispose, openBackend, tensor, tensorCount, tidy } from '../../pipeline/tensor/index.js';
import { readSafetensors } from '../../pipeline/training/index.js';
import { readInitial, startValues } from '../../pipeline/training/initial.js';
import { ModelConfig } from '../../schemas/config/index.js';
import { unpacked } from '../keras/files.js';
import { hashedLeaf, hashedMap } from '../models/hashed.js';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-model-'));
const keras = join(folder, 'densenet121_notop.h5');
const out = join(folder, 'densenet121.safetensors');

/** The whole backbone in the layout of the weights that Keras publishes, old names in the stem. */
beforeAll(async () => {
  await openBackend();
  await h5wasm.ready;
  const file = new File(keras, 'w');
  const made = new Set<string>();
  for (const [place, { layers, weight, shape }] of layoutOf('densenet121').entries()) {
    const layer = layers.at(-1)!;
    const data = hashedLeaf(place, weight, shape);
    const words = `${layer}/${layer}`.split('/'); // a name with a slash is a group in a group
    words.forEach((_, i) => {
      const group = words.slice(0, i + 1).join('/');
      if (!made.has(group)) file.create_group(group);
      made.add(group);
    });
    file.create_dataset({ name: `${layer}/${layer}/${weight}:0`, data, shape: [...shape], dtype: '<f4' });
  }
  file.close();
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

async function model(...flags: string[]): Promise<Record<string, unknown>> {
  const lines: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  await command().parseAsync([...flags, '--json', '--quiet'], { from: 'user' });
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0]);
}

describe('stormreel model import-keras', () => {
  it('writes weights from which the model gives what Keras gives', async () => {
    const printed = await model('import-keras', keras, '--out', out);
    expect(printed).toMatchObject({
      out,
      source: 'densenet121_notop.h5',
      missing: [],
      extra: [],
      bands: null,
    });
    expect(printed.taken).toHaveLength(604);
    const { metadata } = await readSafetensors(out);
    expect(metadata).toMatchObject({ backbone: 'densenet121', sourceSha256: printed.sourceSha256 });

    const before = tensorCount();
    const shape = { height: 224, width: 224, channels: 3, season: 0 };
    const built = buildModel(ModelConfig.parse({ encoder: { kind: 'densenet121' } }), shape);
    const { start, report } = startValues(built, {
      random: Random.from(1),
      logit: 0,
      initial: await readInitial(out),
      member: 0,
    });
    expect(report!.taken).toHaveLength(604);
    const path = new URL('../golden/densenet121.json', import.meta.url);
    const { at, values, sizes } = JSON.parse(readFileSync(path, 'utf8')).cases[0].taps[3];
    tidy(() => {
      const { taps } = built.encode(start, tensor(hashedMap(224), [1, 224, 224, 3]), EVALUATION);
      const found = taps![3].dataSync();
      const mean = sizes / found.length;
      at.forEach((place: number, i: number) => {
        expect(Math.abs(found[place] - values[i]) / mean).toBeLessThan(1e-4);
      });
    });
    dispose(start);
    expect(tensorCount()).toBe(before);
  });

  it('brings the first kernel to the bands that are asked for', async () => {
    const five = join(folder, 'five.safetensors');
    const printed = await model('import-keras', keras, '--out', five, '--bands', '5');
    expect(printed.bands).toBe('first kernel: its 3 bands laid over 5, times 3/5');
    const { tensors } = await readSafetensors(five);
    expect(tensors.get('encoder/backbone/stem/conv/kernel')!.shape).toEqual([7, 7, 5, 64]);
  });

  it('refuses a model of another depth with exit code 2 and every leaf, and writes nothing', async () => {
    const target = join(folder, 'none.safetensors');
    const { error } = (await model('import-keras', unpacked('plain.h5'), '--out', target)) as {
      error: { tag: string; fields: { missing: string[]; otherShape: unknown[] } };
    };
    expect(error.tag).toBe('ModelMismatchError');
    expect(error.fields.missing).toHaveLength(604 - 10);
    expect(error.fields.otherShape).toHaveLength(10);
    expect(process.exitCode).toBe(2);
    expect(readdirSync(folder)).not.toContain('none.safetensors');
  });

  it.each([
    ['--bands', '0'],
    ['--bands', 'many'],
    ['--as', 'vgg16'],
  ])('refuses %s %s', async (flag, value) => {
    const run = model('import-keras', keras, '--out', out, flag, value);
    if (flag === '--as') await expect(run).rejects.toMatchObject({ code: 'commander.invalidArgument' });
    else expect(await run).toMatchObject({ error: { tag: 'ConfigError' } });
  });
});
