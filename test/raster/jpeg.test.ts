import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Random } from '../../pipeline/random.js';
import { jpegDecoder } from '../../pipeline/raster/geotiff/jpeg.js';

const SIZE = 48;
const random = Random.from(3);

/** Smooth colours with some noise, so that neighbouring blocks differ. */
function picture(channels: 1 | 3) {
  const raw = Uint8Array.from({ length: SIZE * SIZE * channels }, (_, i) => {
    const cell = Math.floor(i / channels);
    const wave = Math.sin(cell / 7 + (i % channels)) * 60 + Math.cos(cell / SIZE / 5) * 50;
    return Math.max(0, Math.min(255, 128 + wave + 20 * random.normal()));
  });
  return sharp(raw, { raw: { width: SIZE, height: SIZE, channels } });
}

describe('jpegDecoder()', () => {
  it('gives the numbers that sharp gives, grey and in colour, at every quality and coarseness of colours', async () => {
    const decode = await jpegDecoder();
    for (const channels of [1, 3] as const)
      for (const quality of [20, 75, 98])
        for (const chromaSubsampling of ['4:2:0', '4:4:4']) {
          const jpeg = picture(channels).jpeg({ quality, chromaSubsampling });
          const bytes = await (channels === 1 ? jpeg.toColourspace('b-w') : jpeg).toBuffer();
          const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
          const found = decode([bytes.subarray(0, 2), bytes.subarray(2)])!;
          expect([found.width, found.height, found.channels]).toEqual([SIZE, SIZE, channels]);
          // sharp gives grey pictures three equal bands or one, as it likes.
          const wanted = data.filter((_, i) => i % info.channels < channels);
          expect(Buffer.compare(found.data, wanted)).toBe(0);
        }
  });

  it('says no to what is cut short or damaged, time and again, and still reads what is sound', async () => {
    const bytes = await picture(3).jpeg().toBuffer();
    const first = Buffer.from((await jpegDecoder())([bytes])!.data);
    for (let i = 0; i < 600; i++) {
      const decode = await jpegDecoder();
      expect(decode([bytes.subarray(0, 100 + (i % 400))])).toBeNull();
    }
    expect(Buffer.compare((await jpegDecoder())([bytes])!.data, first)).toBe(0);
  });
});
