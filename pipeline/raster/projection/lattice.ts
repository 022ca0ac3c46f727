/**
 * Where the points of a regular lattice lie on a source grid, in its columns and rows. Blocks of the lattice are halved until
 * their corners tell what is inside, so that few points go through the formulas. Each block is held to `TOLERANCE` cells at its
 * middle and at the middles of its sides.
 */

export interface Lattice {
  width: number;
  height: number;
  /** `[height * width]`, NaN where the source has no such place. */
  columns: Float32Array;
  rows: Float32Array;
}

/** Source column and row of a lattice point, `[NaN, NaN]` where there is none. */
type Place = (column: number, row: number, out: Float64Array) => void;

/** Largest error in source cells; GDAL allows itself 0.125. */
export const TOLERANCE = 0.05;
const BLOCK = 32;

export function lattice(width: number, height: number, place: Place): Lattice {
  const columns = new Float32Array(width * height);
  const rows = new Float32Array(width * height);
  const done = new Uint8Array(width * height);
  const out = new Float64Array(2);

  /** Exact; each point once. */
  function at(c: number, r: number): number {
    const i = r * width + c;
    if (done[i]) return i;
    place(c, r, out);
    columns[i] = out[0];
    rows[i] = out[1];
    done[i] = 1;
    return i;
  }

  /** The block with corners (c0, r0) and (c1, r1), both inside it. */
  function fill(c0: number, r0: number, c1: number, r1: number): void {
    const corners = [at(c0, r0), at(c1, r0), at(c0, r1), at(c1, r1)] as const;
    const [across, down] = [c1 - c0, r1 - r0];
    if (across <= 1 && down <= 1) return;
    const [cm, rm] = [(c0 + c1) >> 1, (r0 + r1) >> 1];
    const probes = [at(cm, rm), at(cm, r0), at(cm, r1), at(c0, rm), at(c1, rm)];
    if (probes.every((probe) => fits(probe, corners, c0, r0, across, down))) {
      interpolate(corners, c0, r0, across, down);
      return;
    }
    for (const [left, right] of halves(c0, cm, c1))
      for (const [top, bottom] of halves(r0, rm, r1)) fill(left, top, right, bottom);
  }

  const mix = (values: Float32Array, [a, b, c, d]: readonly number[], u: number, v: number): number =>
    (values[a] * (1 - u) + values[b] * u) * (1 - v) + (values[c] * (1 - u) + values[d] * u) * v;

  function fits(
    probe: number,
    corners: readonly number[],
    c0: number,
    r0: number,
    across: number,
    down: number,
  ) {
    const u = across ? ((probe % width) - c0) / across : 0;
    const v = down ? (Math.floor(probe / width) - r0) / down : 0;
    // NaN anywhere: no fit.
    return (
      Math.abs(mix(columns, corners, u, v) - columns[probe]) < TOLERANCE &&
      Math.abs(mix(rows, corners, u, v) - rows[probe]) < TOLERANCE
    );
  }

  function interpolate(
    corners: readonly number[],
    c0: number,
    r0: number,
    across: number,
    down: number,
  ): void {
    for (let r = r0; r <= r0 + down; r++)
      for (let c = c0; c <= c0 + across; c++) {
        const i = r * width + c;
        if (done[i]) continue;
        const [u, v] = [across ? (c - c0) / across : 0, down ? (r - r0) / down : 0];
        columns[i] = mix(columns, corners, u, v);
        rows[i] = mix(rows, corners, u, v);
      }
  }

  for (let r = 0; r < height; r += BLOCK)
    for (let c = 0; c < width; c += BLOCK)
      fill(c, r, Math.min(c + BLOCK, width - 1), Math.min(r + BLOCK, height - 1));
  return { width, height, columns, rows };
}

/** One part where the middle is an end. */
const halves = (a: number, middle: number, b: number): [number, number][] =>
  middle === a
    ? [[a, b]]
    : [
        [a, middle],
        [middle, b],
      ];
