import { truncate, unlink, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { at, inFolder, ingested, put, refusal, tif } from './sources.js';

inFolder();

describe('values of GeoTIFF maps', () => {
  it('that are nodata, not a number or infinite are invalid and stored as 0', async () => {
    const nodata = -3.4e38; // as text this is no 32-bit float
    const values = Float32Array.of(
      1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      nodata,
      6,
    );
    await put({ '20051201Z.tif': tif({ dtype: 'f32', values, nodata }) });
    expect(await (await ingested()).decode()).toEqual([1, null, null, null, null, 6]);
  });

  it('stay as stored where all files share type and scale, else become physical 32-bit floats', async () => {
    const packed = (scale: number) => tif({ scale: [scale], offset: [100] });
    await put({ '20051201Z.tif': packed(0.5), '20051202Z.tif': packed(0.5) });
    const same = await ingested();
    expect(same.description).toMatchObject({ dtype: 'u8', bands: [{ scale: 0.5, offset: 100 }] });
    expect(await same.decode(1)).toEqual([100, 100.5, 101, 101.5, 102, 102.5]);
    await put({ '20051203Z.tif': packed(2) });
    const mixed = await ingested();
    expect(mixed.description).toMatchObject({ dtype: 'f32', bands: [{ scale: 1, offset: 0 }] });
    expect(await mixed.decode(0)).toEqual([100, 100.5, 101, 101.5, 102, 102.5]);
    expect(await mixed.decode(2)).toEqual([100, 102, 104, 106, 108, 110]);
  });

  it('whose scale or offset leaves no 32-bit float are refused; single cells beyond one hold no value', async () => {
    for (const wrong of [{ scale: [1e308] }, { scale: [0] }, { scale: [Number.NaN] }, { offset: [-1e308] }]) {
      await put({ '20051201Z.tif': tif({ dtype: 'f32', ...wrong }) });
      expect(await refusal()).toMatchObject({ tag: 'BadRasterError', fields: { band: 0 } });
    }
    const values = Float32Array.of(1, 2, 3e38, -3e38, 5, 6);
    await put({ '20051201Z.tif': tif({ dtype: 'f32', values, scale: [2] }) });
    expect(await (await ingested()).decode()).toEqual([2, 4, null, null, 10, 12]);
  });

  it('of maps of several sizes come to one grid with --grid', async () => {
    const fine = tif({ width: 6, height: 4, values: new Uint8Array(24).fill(3) });
    const half = { transform: [10, 0.5, 0, 45, 0, -0.5] as [number, number, number, number, number, number] };
    await put({ '20051201Z.tif': tif(), '20051202Z.tif': fine });
    expect(await refusal()).toMatchObject({
      tag: 'GridMismatchError',
      fields: { found: expect.any(String) },
    });
    await put({ '20051202Z.tif': tif({ width: 6, height: 4, values: new Uint8Array(24).fill(3), ...half }) });
    const { decode } = await ingested({ grid: { width: 3, height: 2 }, resampling: 'area' });
    expect(await decode(0)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await decode(1)).toEqual([3, 3, 3, 3, 3, 3]);
  });

  it('of a map whose rows run from the south, or columns from the east, keep their place', async () => {
    const turned = tif({ transform: [10, 1, 0, 43, 0, 1] });
    await put({ '20051201Z.tif': tif(), '20051202Z.tif': turned });
    expect(await refusal()).toMatchObject({ tag: 'GridMismatchError' });
    const { decode } = await ingested({ grid: { width: 3, height: 2 }, resampling: 'nearest' });
    expect(await decode(1)).toEqual([3, 4, 5, 0, 1, 2]);
  });

  it('with cells of no size are refused', async () => {
    await put({ '20051201Z.tif': tif({ transform: [10, 0, 0, 45, 0, -1] }) });
    expect(await refusal()).toMatchObject({ tag: 'BadRasterError' });
  });

  it('are cut into tiles over the date line, southern ones turned', async () => {
    const values = Uint8Array.from({ length: 12 * 6 }, (_, i) => i);
    const globe = tif({ width: 12, height: 6, values, transform: [0, 30, 0, 90, 0, -30] });
    await put({ '20051201Z.tif': globe });
    const tiles = { size: 2, stride: 11, rows: [0, 4], wrap: true, flipSouth: true };
    const { decode } = await ingested({ tiles });
    expect(await decode(0, 'n75_e015')).toEqual([0, 1, 12, 13]);
    expect(await decode(0, 'n75_e345')).toEqual([11, 0, 23, 12]);
    expect(await decode(0, 's45_e345')).toEqual([71, 60, 59, 48]);
  });
});

describe('values of pictures', () => {
  const picture = (channels: 1 | 3 | 4, values: Uint8Array | Uint16Array) =>
    sharp(values, { raw: { width: 2, height: 1, channels } });

  it('are grey or red, green, blue; transparent cells are invalid', async () => {
    await put({
      'a.png': await picture(4, Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 0))
        .png()
        .toBuffer(),
    });
    const { description, decode } = await ingested({ pictures: true });
    expect(description).toMatchObject({
      ...{ dtype: 'u8', stepMs: null, time: 'none', grid: { crs: 'none', transform: null } },
      bands: [{ name: 'red' }, { name: 'green' }, { name: 'blue' }],
    });
    expect(await decode()).toEqual([1, 2, 3, null, null, null]);
  });

  it('keep all 16 bits', async () => {
    const deep = picture(1, Uint16Array.of(1, 65535)).toColourspace('grey16').png();
    await put({ 'a.png': await deep.toBuffer() });
    const { description, decode } = await ingested({ pictures: true });
    expect(description).toMatchObject({ dtype: 'u16', bands: [{ name: 'grey' }] });
    expect(await decode()).toEqual([1, 65535]);
    const rgba = sharp({
      create: { width: 2, height: 1, channels: 4, background: { r: 255, g: 0, b: 128, alpha: 1 } },
    });
    await put({ 'a.png': await rgba.toColourspace('rgb16').png().toBuffer() });
    expect((await (await ingested({ pictures: true })).decode()).slice(0, 2)).toEqual([65535, 0]);
  });

  it('with a palette are the colours it names', async () => {
    const colours = picture(3, Uint8Array.of(200, 0, 0, 0, 0, 200)).png({ palette: true, colours: 2 });
    await put({ 'a.png': await colours.toBuffer() });
    expect(await (await ingested({ pictures: true })).decode()).toEqual([200, 0, 0, 0, 0, 200]);
  });

  it('have times like other maps where they are named so', async () => {
    const jpeg = await picture(3, new Uint8Array(6).fill(90)).jpeg().toBuffer();
    await put({ '20051201Z.jpg': jpeg, '20051202Z.JPEG': jpeg });
    expect((await ingested()).times[0]).toHaveLength(2);
  });

  it('that are cut are refused when they are decoded, text at once', async () => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251);
    await put({
      'a.png': await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
        .png()
        .toBuffer(),
    });
    await truncate(at('a.png'), 200);
    const { decode } = await ingested({ pictures: true });
    await expect(decode()).rejects.toMatchObject({ tag: 'BadRasterError', fields: { path: at('a.png') } });
    await writeFile(at('a.png'), 'no picture');
    expect(await refusal({ pictures: true })).toMatchObject({ tag: 'BadRasterError' });
  });
});

describe('a source that is not what it was when it was planned', () => {
  it('is a SourceChangedError, changed or gone', async () => {
    await put({ '20051201Z.tif': tif() });
    const { decode } = await ingested();
    await writeFile(at('20051201Z.tif'), new Uint8Array(9));
    await expect(decode()).rejects.toMatchObject({ tag: 'SourceChangedError' });
    await unlink(at('20051201Z.tif'));
    await expect(decode()).rejects.toMatchObject({
      tag: 'SourceChangedError',
      fields: { path: at('20051201Z.tif') },
    });
  });
});
