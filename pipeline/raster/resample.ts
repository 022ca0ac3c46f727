/**
 * From one regular grid to another; grids of two CRSs go through projection/. Every method is a weighted mean over source cells, rows and columns
 * apart: `nearest` takes the cell that holds the target's centre, `bilinear` the four around it, `area` all it overlaps
 * by their share. Invalid cells carry no weight; a target cell with less than half of its weight is invalid.
 */
import type { Grid, Transform } from '../../schemas/records/index.js';
import { knowsFour, type TargetBands, type WholeBands, weighFour } from './four.js';
import { isGeographicCrs, sameCrs, type Warper, warp, warper } from './projection/index.js';
import {
  type AxisWeights,
  type Pairs,
  pairs,
  type SourceBand,
  type TargetBand,
  weighAny,
  weighFourMasked,
} from './weigh.js';

export type Resampling = 'nearest' | 'bilinear' | 'area';

type Place = Pick<Grid, 'width' | 'height' | 'transform' | 'crs'>;

export interface Resampler {
  rows: AxisWeights;
  columns: AxisWeights;
}

const CIRCLE = 360;

/**
 * Weights from `source` to `target`; null when the grids are the same. In one CRS transforms must not be rotated; of two
 * CRSs both must be known.
 */
export function resampler(source: Place, target: Place, method: Resampling): Resampler | Warper | null {
  if (sameGrid(source, target)) return null;
  const key = JSON.stringify(
    [source, target].map((g) => [g.width, g.height, g.transform, g.crs]).concat([[method]]),
  );
  const weights = kept.get(key) ?? weightsOf(source, target, method);
  kept.delete(key);
  kept.set(key, weights);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
  return weights;
}

/** Weights of the grids used last: the maps of a series mostly share one, and of two CRSs they take long to make. */
const kept = new Map<string, Resampler | Warper>();
const KEPT = 4;

function weightsOf(source: Place, target: Place, method: Resampling): Resampler | Warper {
  if (source.transform && target.transform && !sameCrs(source.crs, target.crs))
    return warper(source, target, method);
  const [a, b] = [source.transform ?? unitSquare(source), target.transform ?? unitSquare(target)];
  const circle = isFullCircle(source) ? Math.round(CIRCLE / Math.abs(a[1])) : 0;
  const degrees = isGeographicCrs(source.crs) ? CIRCLE : 0;
  return {
    columns: axisWeights(target.width, source.width, (i) => (b[0] + i * b[1] - a[0]) / a[1], method, {
      circle,
      turn: degrees / Math.abs(a[1]),
    }),
    rows: axisWeights(target.height, source.height, (i) => (b[3] + i * b[5] - a[3]) / a[5], method, {
      circle: 0,
      turn: 0,
    }),
  };
}

/** Most cells that corners of one grid may lie apart: far ones add up what the size of a cell was rounded by. */
const NEAR_CORNER = 1e-3;
const FAR_CORNER = 1e-2;

/** Every corner in the same place, to a small part of a cell. */
export function sameGrid(a: Place, b: Place): boolean {
  if (a.width !== b.width || a.height !== b.height || !sameCrs(a.crs, b.crs)) return false;
  if (!a.transform || !b.transform) return a.transform === b.transform;
  const cell = Math.min(...[1, 2, 4, 5].map((i) => Math.abs(a.transform![i])).filter((size) => size > 0));
  const off = a.transform.map((v, i) => v - b.transform![i]);
  const isNear = (column: number, row: number, most: number) =>
    Math.abs(off[0] + off[1] * column + off[2] * row) < most * cell &&
    Math.abs(off[3] + off[4] * column + off[5] * row) < most * cell;
  const { width, height } = a;
  const far = [
    [width, 0],
    [0, height],
    [width, height],
  ];
  return isNear(0, 0, NEAR_CORNER) && far.every(([column, row]) => isNear(column, row, FAR_CORNER));
}

/** Global grids whose columns are the same but begin elsewhere: one holds the values of the other, turned. */
export function isTurned(a: Place, b: Place): boolean {
  if (!isFullCircle(a) || !isFullCircle(b)) return false;
  const columns = (a.transform![0] - b.transform![0]) / a.transform![1];
  const shift = Math.round(columns) * a.transform![1];
  const [x, ...rest] = b.transform!;
  return (
    Math.abs(columns - Math.round(columns)) < FAR_CORNER &&
    sameGrid(a, { ...b, transform: [x + shift, ...rest] as Transform })
  );
}

/** True where the columns of a geographic grid go once around the Earth. */
export function isFullCircle({ width, transform, crs }: Place): boolean {
  return (
    transform !== null &&
    isGeographicCrs(crs) &&
    Math.abs(width * Math.abs(transform[1]) - CIRCLE) < 1e-6 * CIRCLE
  );
}

/** Bands of one map to their places in a frame; those of maps without invalid cells together where a kernel can. */
export function resampleBands(
  weights: Resampler | Warper,
  source: WholeBands & { valid: Uint8Array; whole?: boolean },
  out: TargetBands,
): void {
  const four = source.whole && !('places' in weights) && knowsFour(source) ? pairsOf(weights) : null;
  if (four) weighFour(four.rows, four.columns, source, out);
  else
    source.bands.forEach((values, i) => {
      resample(weights, { ...source, values }, { ...out, at: out.places[i] });
    });
}

/** Null where an axis takes more than two cells a target. */
function pairsOf(weights: Resampler): { rows: Pairs; columns: Pairs } | null {
  const known = paired.get(weights);
  if (known !== undefined) return known;
  const [rows, columns] = [pairs(weights.rows), pairs(weights.columns)];
  const found = rows && columns ? { rows, columns } : null;
  paired.set(weights, found);
  return found;
}

const paired = new WeakMap<Resampler, { rows: Pairs; columns: Pairs } | null>();

/** Resamples one band to physical units. */
export function resample(weights: Resampler | Warper, source: SourceBand, out: TargetBand): void {
  if ('places' in weights) warp(weights, source, out);
  else weigh(weights, source, out);
}

function weigh(weights: Resampler, source: SourceBand, out: TargetBand): void {
  const four = pairsOf(weights);
  if (four) weighFourMasked(four.rows, four.columns, source, out);
  else weighAny(weights.rows, weights.columns, source, out);
}

/** Without georeference both grids span the same square. */
function unitSquare({ width, height }: Place): Transform {
  return [0, 1 / width, 0, 0, 0, 1 / height];
}

function axisWeights(
  targets: number,
  sources: number,
  edge: (i: number) => number,
  method: Resampling,
  { circle, turn }: { circle: number; turn: number },
): AxisWeights {
  const start = new Uint32Array(targets + 1);
  const cells: number[] = [];
  const weights: number[] = [];
  const add = (cell: number, weight: number) => {
    const inside = circle ? ((cell % circle) + circle) % circle : cell;
    if (inside < 0 || inside >= sources || weight <= 1e-9) return;
    cells.push(inside);
    weights.push(weight);
  };
  for (let i = 0; i < targets; i++) {
    const [from, to] = settle(edge(i), edge(i + 1), sources, turn);
    const centre = (from + to) / 2;
    if (method === 'nearest') add(Math.floor(centre + 1e-9), 1);
    else if (method === 'area') {
      const size = to - from;
      for (let cell = Math.floor(from); cell < to; cell++)
        add(cell, (Math.min(to, cell + 1) - Math.max(from, cell)) / size);
    } else if (circle || (centre > -1e-9 && centre < sources + 1e-9)) {
      const left = Math.floor(centre - 0.5 + 1e-9);
      const share = Math.max(0, centre - 0.5 - left);
      // Inside the map the outer half of a border cell repeats it; of places outside nothing is known.
      const [a, b] = circle ? [left, left + 1] : [clampNear(left, sources), clampNear(left + 1, sources)];
      add(a, 1 - share);
      add(b, share);
    }
    start[i + 1] = cells.length;
  }
  return { start, cells: Uint32Array.from(cells), weights: Float64Array.from(weights) };
}

/** One step outside counts as the border cell. */
const clampNear = (cell: number, n: number): number => (cell === -1 ? 0 : cell === n ? n - 1 : cell);

/** Edges in order, moved by whole circles of longitude until they lie on the source where that is possible. */
function settle(a: number, b: number, sources: number, turn: number): [number, number] {
  let [from, to] = a < b ? [a, b] : [b, a];
  if (turn)
    for (const shift of [0, turn, -turn]) {
      const centre = (from + to) / 2 + shift;
      if (centre < -1e-9 || centre >= sources) continue;
      from += shift;
      to += shift;
      break;
    }
  return [from, to];
}
