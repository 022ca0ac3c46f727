/** A first kernel for another number of bands than it was trained on. */
import type { StoredTensor } from '../tensor/index.js';

/**
 * Kernel `[h, w, in, out]` for `bands` bands: the old bands over and over, times in / bands, so that a map whose bands are
 * alike gives about what it gave before; one band gets the sum of the old, which is exactly that. `words` say what was done.
 */
export function inputBands(
  { shape, values }: StoredTensor,
  bands: number,
): { kernel: StoredTensor; words: string } {
  const [height, width, from, out] = shape;
  const kernel = new Float32Array(height * width * bands * out);
  const factor = bands === 1 ? 1 : from / bands;
  const sources = (band: number): number[] =>
    bands === 1 ? Array.from({ length: from }, (_, i) => i) : [band % from];
  for (let cell = 0; cell < height * width; cell++)
    for (let band = 0; band < bands; band++)
      for (const source of sources(band))
        for (let o = 0; o < out; o++)
          kernel[(cell * bands + band) * out + o] += factor * values[(cell * from + source) * out + o];
  const words =
    bands === 1
      ? `first kernel: its ${from} bands added up for one`
      : `first kernel: its ${from} bands laid over ${bands}, times ${from}/${bands}`;
  return { kernel: { shape: [height, width, bands, out], values: kernel }, words };
}
