/**
 * Pictures of a simulated season in class folders, with their times in their names, as such collections come: to try this
 * example without any of one's own.
 *
 *   node examples/medicane/make-pictures.mjs examples/medicane/out/pictures [--frames 960] [--size 600] [--seed 7]
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { season } from '../../dist/pipeline/simulation/index.js';

const { positionals, values: flags } = parseArgs({
  allowPositionals: true,
  options: {
    frames: { type: 'string', default: '960' },
    size: { type: 'string', default: '600' },
    seed: { type: 'string', default: '7' },
  },
});
const [out] = positionals;
if (!out) {
  console.error('usage: node make-pictures.mjs OUT_FOLDER [--frames N] [--size PX] [--seed N]');
  process.exit(2);
}
const [frames, size, seed] = [flags.frames, flags.size, flags.seed].map(Number);
const made = season({ frames, size, seed, gaps: 0, defects: 0 });
const folders = ['calm', 'storm'];
for (const folder of folders) mkdirSync(join(out, folder), { recursive: true });

/** Stored int16 of the infrared band and of pressure to 0 .. 255: cold tops and deep lows bright. */
const grey = (stored, least, most) =>
  255 - Math.max(0, Math.min(255, Math.round((255 * (stored - least)) / (most - least))));
const counts = [0, 0];
for (let i = 0; i < frames; i++) {
  const { time, values, truth } = made.frame(i);
  const pixels = new Uint8Array(size * size * 3);
  for (let cell = 0; cell < size * size; cell++) {
    const cold = grey(values[2 * cell], -5000, 5000);
    const low = grey(values[2 * cell + 1], -3000, 3000);
    pixels.set([cold, low, (cold + low) >> 1], 3 * cell);
  }
  const stamp = new Date(time).toISOString().replace(/[-:]/g, '').slice(0, 13).replace('T', '_');
  const path = join(out, folders[truth.label], `ir_${stamp}Z.png`);
  await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toFile(path);
  counts[truth.label]++;
}
console.log(`${counts[0]} calm and ${counts[1]} storm pictures of ${size} x ${size} in ${out}`);
