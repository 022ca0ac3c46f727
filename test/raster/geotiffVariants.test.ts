import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../pipeline/raster/bytes.js';
import { decodeGeoTiff, readGeoTiffHeader } from '../../pipeline/raster/geotiff/index.js';
import { DEFAULT_LIMITS } from '../../pipeline/raster/limits.js';

interface Golden {
  /** sha256 of each band as 64-bit floats, 0 where invalid. */
  bands: string[];
  valid: string;
  invalid: number;
  /** Bytes of each band, where another decoder may round in another way. */
  numbers?: string[];
}
const golden = new URL('../golden/raster/variants/', import.meta.url);
const index: Record<string, Golden> = JSON.parse(await readFile(new URL('index.json', golden), 'utf8'));
const bytesOf = async (name: string) => new Uint8Array(await readFile(new URL(`${name}.tif`, golden)));
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function read(bytes: Uint8Array) {
  const source = memorySource('map.tif', bytes);
  const header = await readGeoTiffHeader(source, DEFAULT_LIMITS);
  const map = await decodeGeoTiff(
    source,
    header,
    header.bands.map((band) => Number(band.selector)),
  );
  const seen = map.bands.map((band) => Float64Array.from(band, (v, cell) => (map.valid[cell] ? v : 0)));
  return { header, map, seen };
}

describe('the GeoTIFF reader of rarer variants', () => {
  it.each(Object.keys(index))('reads numbers and mask of %s as rasterio does', async (name) => {
    const { map, seen } = await read(await bytesOf(name));
    const { bands, valid, invalid, numbers } = index[name];
    expect(map.valid.filter((v) => v === 0).length).toBe(invalid);
    expect(sha(map.valid)).toBe(valid);
    expect(map.whole).toBe(invalid === 0);
    expect(seen.length).toBe(bands.length);
    if (!numbers) expect(seen.map((band) => sha(new Uint8Array(band.buffer)))).toEqual(bands);
    for (const [i, hex] of (numbers ?? []).entries()) {
      const expected = Buffer.from(hex, 'hex');
      const errors = seen[i].map((v, cell) => Math.abs(v - expected[cell]));
      // The decoders smooth coarser colours (YCbCr 4:2:0) in other ways; everything else is a matter of rounding.
      const coarse = name.endsWith('_ycbcr') || name === 'mask_jpeg';
      expect(Math.max(...errors)).toBeLessThanOrEqual(coarse ? 10 : 2);
      expect(errors.reduce((sum, e) => sum + e, 0) / errors.length).toBeLessThan(coarse ? 1.5 : 0.5);
    }
  });

  it.each(Object.keys(index))(
    'refuses %s with bytes changed, or reads it, with no other error',
    async (name) => {
      const whole = await bytesOf(name);
      const step = Math.ceil(whole.length / 60);
      for (let at = 8; at < whole.length; at += step) {
        const bytes = whole.slice();
        bytes[at] ^= 0xff;
        await read(bytes).catch((error) => expect(error).toMatchObject({ tag: 'BadRasterError' }));
      }
    },
  );

  it('leaves the listeners of the process as they were', async () => {
    const count = () =>
      process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
    const before = count();
    await read(await bytesOf('lerc_float32'));
    expect(count()).toBe(before);
  });

  it('keeps a fourth band that has a name, though the file calls it opacity', async () => {
    const unnamed = await read(await bytesOf('alpha_rgba'));
    expect(unnamed.header.bands.map(({ selector }) => selector)).toEqual([0, 1, 2]);
    const { header, map } = await read(await bytesOf('alpha_named'));
    expect(header.bands.map(({ name }) => name)).toEqual(['vis', 'ir', 'wv', 'swir']);
    expect(map.whole).toBe(true);
    expect(new Set(map.bands[3])).toEqual(new Set([0, 255]));
  });
});

describe('a hostile GeoTIFF of a rarer variant', () => {
  /** The bytes with `found` replaced where it stands first. */
  const swapped = (bytes: Uint8Array, found: number[], put: number[]) => {
    const at = Buffer.from(bytes).indexOf(Buffer.from(found));
    expect(at).toBeGreaterThan(0);
    const copy = bytes.slice();
    copy.set(put, at);
    return copy;
  };
  const refused = (bytes: Uint8Array, message: RegExp) =>
    expect(read(bytes)).rejects.toMatchObject({
      tag: 'BadRasterError',
      message: expect.stringMatching(message),
    });

  it('whose JPEG claims 65,535 rows is refused by its header', async () =>
    refused(
      swapped(await bytesOf('jpeg_rgb'), [0xff, 0xc0, 0, 17, 8, 0, 32], [0xff, 0xc0, 0, 17, 8, 255, 255]),
      /holds 32 x 65535 cells, the block has 32 x 32/,
    ));

  it('whose JPEG has 12 bits is refused', async () =>
    refused(
      swapped(await bytesOf('jpeg_rgb'), [0xff, 0xc0, 0, 17, 8], [0xff, 0xc0, 0, 17, 12]),
      /JPEG of 12 bits/,
    ));

  it('whose LERC block claims another size is refused before it is decoded', async () => {
    const bytes = await bytesOf('lerc_float32');
    const at = Buffer.from(bytes).indexOf('Lerc2 ');
    const copy = bytes.slice();
    new DataView(copy.buffer).setInt32(at + 14, 1 << 20, true);
    await refused(copy, /block \d+ \(lerc\) is corrupt/);
  });

  it('of complex numbers or of 64-bit integers is refused with what to do', async () => {
    // Type SHORT, one value, 3: the tag of the number format.
    const tag = [0x53, 1, 3, 0, 1, 0, 0, 0, 3, 0];
    const bytes = swapped(await bytesOf('lerc_float32'), tag, [...tag.slice(0, 8), 6, 0]);
    await refused(bytes, /complex numbers/);
    const sizes = [0x02, 1, 3, 0, 1, 0, 0, 0, 32, 0];
    const wide = swapped(await bytesOf('uint32_p2'), sizes, [...sizes.slice(0, 8), 64, 0]);
    await expect(read(wide)).rejects.toMatchObject({
      tag: 'BadRasterError',
      hint: expect.stringContaining('-ot Float32'),
    });
  });

  it('whose mask has another size than the map is refused', async () => {
    const bytes = await bytesOf('mask_bits');
    // Width 45 as a SHORT; the second one is the mask's.
    const width = Buffer.from([0, 1, 3, 0, 1, 0, 0, 0, 45, 0]);
    const at = Buffer.from(bytes).lastIndexOf(width);
    const copy = bytes.slice();
    copy[at + 8] = 44;
    await refused(copy, /one mask of 45 x 37/);
  });
});
