/** Spatial derivatives of one band of one frame, in units of the band per cell. */

/** Shape of the frames that are read: band b of cell k is `values[k * bands + b]`. */
export interface FrameShape {
  height: number;
  width: number;
  bands: number;
}

/** Writes one number a cell into `out`; cells on the border, invalid ones and their neighbours get NaN. */
export type Derivative = (
  values: Float32Array,
  valid: Uint8Array,
  shape: FrameShape,
  band: number,
  out: Float32Array,
) => void;

/** 5-point Laplacian: the four neighbours minus four times the cell. */
export const laplacian: Derivative = (values, valid, { height, width, bands }, band, out) => {
  out.fill(Number.NaN);
  const [across, down] = [bands, width * bands];
  for (let row = 1; row < height - 1; row++)
    for (let column = 1; column < width - 1; column++) {
      const cell = row * width + column;
      if (!isInside(valid, cell, width)) continue;
      const at = cell * bands + band;
      out[cell] =
        values[at - across] + values[at + across] + values[at - down] + values[at + down] - 4 * values[at];
    }
};

/** Gradient magnitude by central differences. */
export const gradient: Derivative = (values, valid, { height, width, bands }, band, out) => {
  out.fill(Number.NaN);
  const [across, down] = [bands, width * bands];
  for (let row = 1; row < height - 1; row++)
    for (let column = 1; column < width - 1; column++) {
      const cell = row * width + column;
      if (!isInside(valid, cell, width)) continue;
      const at = cell * bands + band;
      const x = values[at + across] - values[at - across];
      const y = values[at + down] - values[at - down];
      out[cell] = Math.sqrt(x * x + y * y) / 2;
    }
};

function isInside(valid: Uint8Array, cell: number, width: number): boolean {
  return (
    valid[cell] === 1 &&
    valid[cell - 1] === 1 &&
    valid[cell + 1] === 1 &&
    valid[cell - width] === 1 &&
    valid[cell + width] === 1
  );
}
