import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { importKeras, layoutOf } from '../../pipeline/keras/index.js';
import { buildModel } from '../../pipeline/models/index.js';
import { Random } from '../../pipeline/random.js';
import { leaves, openBackend, tidy } from '../../pipeline/tensor/index.js';
import { ModelConfig } from '../../schemas/config/index.js';
import { expected, folder, LAYOUT, unpacked } from './files.js';

const temporaries = () =>
  readdirSync(tmpdir()).filter((name) => /^stormreel-keras-(?!test)/.test(name)).length;

afterAll(() => rmSync(folder, { recursive: true }));

const options = { kind: 'densenet121', layout: LAYOUT } as const;
const zipped = (name: string, data: Buffer, { method = 8, size = data.length } = {}): Buffer => {
  const packed = method === 8 ? deflateRawSync(data) : data;
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(method, 10);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt32LE(size, 24);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(entry.length + name.length, 12);
  end.writeUInt32LE(local.length + name.length + packed.length, 16);
  return Buffer.concat([local, Buffer.from(name), packed, entry, Buffer.from(name), end]);
};
const put = (name: string, data: Buffer | string): string => {
  writeFileSync(join(folder, name), data);
  return join(folder, name);
};

describe('importKeras', () => {
  it.each([
    ['plain.h5', 'a whole model as HDF5', 0],
    ['plain.weights.h5', 'weights of Keras 3', 0],
    ['nested.h5', 'a compiled model in a model, with a top, as HDF5', 20],
    ['nested.keras', 'the same as an archive', 20],
    ['time.weights.h5', 'a model shared over time', 0],
    ['old.h5', 'names of 2017', 0],
    ['unnamed.weights.h5', 'numbered layers without names', 0],
  ])('takes every leaf of %s: %s', async (name, _, extra) => {
    const before = temporaries();
    const { tensors, report } = await importKeras(unpacked(name), options);
    expect(report).toMatchObject({ missing: [], otherShape: [], bands: null });
    expect(report.taken).toEqual(LAYOUT.map((leaf) => leaf.name));
    expect(report.extra).toHaveLength(extra);
    expect(report.byOrder).toBe(name.startsWith('unnamed'));
    LAYOUT.forEach((leaf, place) => {
      const stored = tensors.get(`encoder/backbone/${leaf.name}`)!;
      expect(stored.shape).toEqual(leaf.shape);
      expect(stored.values).toEqual(expected(place));
    });
    expect(temporaries()).toBe(before);
  });

  it('takes an archive whose member is packed', async () => {
    const inner = readFileSync(unpacked('plain.weights.h5'));
    const path = put('packed.keras', zipped('model.weights.h5', inner));
    expect((await importKeras(path, options)).report.taken).toHaveLength(LAYOUT.length);
  });

  it('lays the first kernel over other bands and says so', async () => {
    const path = unpacked('plain.h5');
    const kernel = expected(0); // [3, 3, 3, 4]
    const five = await importKeras(path, { ...options, bands: 5 });
    const { shape, values } = five.tensors.get('encoder/backbone/stem/conv/kernel')!;
    expect(shape).toEqual([3, 3, 5, 4]);
    for (let band = 0; band < 5; band++)
      expect(values[band * 4 + 1]).toBeCloseTo((kernel[(band % 3) * 4 + 1] * 3) / 5, 6);
    expect(five.report.bands).toBe('first kernel: its 3 bands laid over 5, times 3/5');
    const one = await importKeras(path, { ...options, bands: 1 });
    const single = one.tensors.get('encoder/backbone/stem/conv/kernel')!;
    expect(single.shape).toEqual([3, 3, 1, 4]);
    expect(single.values[2]).toBeCloseTo(kernel[2] + kernel[6] + kernel[10], 6);
  });

  it('names the leaves that are missing, and those of another shape', async () => {
    const layout = [
      ...LAYOUT.slice(0, 9),
      { ...LAYOUT[9], shape: [5] },
      { ...LAYOUT[0], name: 'more/kernel', layers: ['conv9_conv'] },
    ];
    await expect(importKeras(unpacked('plain.h5'), { ...options, layout })).rejects.toMatchObject({
      tag: 'ModelMismatchError',
      fields: {
        missing: ['more/kernel'],
        otherShape: [{ name: 'norm/moving_variance', found: [4], expected: [5] }],
        taken: LAYOUT.slice(0, 9).map(({ name }) => name),
      },
    });
  });

  it('refuses a model of other layers whole', async () => {
    const layout = [{ ...LAYOUT[0], layers: ['stem'] }];
    await expect(importKeras(unpacked('plain.h5'), { ...options, layout })).rejects.toMatchObject({
      tag: 'ModelMismatchError',
      message: expect.stringContaining('none of its 10 weights has the name of a layer of densenet121'),
      fields: { taken: [], extra: expect.arrayContaining(['model_weights/bn/bn/gamma']) },
    });
  });

  it('refuses what is no Keras file, says what it is, and leaves nothing behind', async () => {
    const before = temporaries();
    const inner = readFileSync(unpacked('plain.weights.h5'));
    const whole = zipped('model.weights.h5', inner);
    const cases: [string, RegExp][] = [
      [join(folder, 'nowhere.h5'), /it is not there/],
      [folder, /it is a folder/],
      [put('text.h5', 'not weights'), /neither HDF5 nor a .keras archive/],
      [put('empty.h5', ''), /neither HDF5 nor a .keras archive/],
      [put('cut.h5', inner.subarray(0, 4_000)), /HDF5 cannot open it|HDF5/],
      [put('other.keras', zipped('config.json', Buffer.from('{}'))), /there is no model.weights.h5 in it/],
      [put('cut.keras', whole.subarray(0, whole.length - 30)), /end of the archive is missing|cut short/],
      [
        put('bomb.keras', zipped('model.weights.h5', Buffer.alloc(2 ** 24), { size: 1000 })),
        /holds more than/,
      ],
      [put('short.keras', zipped('model.weights.h5', inner, { size: inner.length + 9 })), /9 bytes less/],
      [put('method.keras', zipped('model.weights.h5', inner, { method: 12 })), /packed by method 12/],
      [put('text.keras', zipped('model.weights.h5', Buffer.from('no weights'), { method: 0 })), /HDF5/],
    ];
    for (const [path, found] of cases)
      await expect(importKeras(path, options), path).rejects.toMatchObject({
        tag: 'ModelMismatchError',
        fields: { path, found: expect.stringMatching(found) },
      });
    expect(temporaries()).toBe(before);
  });

  it('refuses a file cut anywhere', async () => {
    const bytes = readFileSync(unpacked('plain.weights.h5'));
    for (let length = 0; length < bytes.length; length += 5_009) {
      const path = put('damaged.h5', bytes);
      truncateSync(path, length);
      await expect(importKeras(path, options), `${length} bytes`).rejects.toMatchObject({
        tag: 'ModelMismatchError',
        fields: { path },
      });
    }
  });
});

describe('layoutOf', () => {
  it('is the backbone of the model, leaf by leaf, in the order of Keras', async () => {
    await openBackend();
    const shape = { height: 64, width: 64, channels: 3, season: 0 };
    const model = buildModel(ModelConfig.parse({ encoder: { kind: 'densenet121' } }), shape);
    const own = tidy(() =>
      leaves(model.init(Random.from(0)))
        .filter(({ name }) => name.startsWith('encoder/backbone/'))
        .map(({ name, tensor }) => [name, [...tensor.shape]]),
    );
    expect(layoutOf('densenet121').map((leaf) => [`encoder/backbone/${leaf.name}`, leaf.shape])).toEqual(own);
    expect(() => layoutOf('vgg16')).toThrow(
      expect.objectContaining({ tag: 'ConfigError', fields: { kind: 'vgg16' } }),
    );
  });
});
