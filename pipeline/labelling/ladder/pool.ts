/** Averages a frame's first channels over blocks of cells, so that its covariance matrix stays small. */

export interface Pooling {
  /** Numbers a frame becomes. */
  readonly width: number;
  /** `derived [height, width, channels]` -> `out [width]`. */
  apply(derived: Float32Array, out: Float64Array): void;
}

/** A covariance matrix of more columns than this takes too long on a laptop. */
const MOST_COLUMNS = 600;

export function pooling(shape: { height: number; width: number; bands: number; channels: number }): Pooling {
  const { height, width, bands, channels } = shape;
  let edge = 1;
  const blocks = () => Math.ceil(height / edge) * Math.ceil(width / edge);
  while (blocks() * bands > MOST_COLUMNS && blocks() > 1) edge++;
  const across = Math.ceil(width / edge);
  const size = blocks() * bands;
  const inBlock = new Float64Array(blocks());
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) inBlock[blockOf(row, column)]++;
  function blockOf(row: number, column: number): number {
    return Math.floor(row / edge) * across + Math.floor(column / edge);
  }
  return {
    width: size,
    apply(derived, out) {
      out.fill(0);
      for (let row = 0, cell = 0; row < height; row++)
        for (let column = 0; column < width; column++, cell++) {
          const block = blockOf(row, column);
          for (let b = 0; b < bands; b++)
            out[block * bands + b] += derived[cell * channels + b] / inBlock[block];
        }
    },
  };
}
