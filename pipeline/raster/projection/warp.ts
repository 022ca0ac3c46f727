/**
 * From one CRS to another. Like `resample`, every method is a weighted mean over source cells: `nearest` takes the cell that
 * holds the target's centre, `bilinear` the four around it, `area` all under the target cell's outline (the box around its
 * corners, as GDAL's average). Invalid cells carry no weight; a target with less than half of its weight is invalid,
 * and so is one whose place the source does not show, such as space around a satellite's disc.
 */
import type { Grid, Transform } from '../../../schemas/records/index.js';
import type { SourceArray } from '../map.js';
import { isGeographicCrs } from './definition.js';
import { type Lattice, lattice } from './lattice.js';
import { pointMove } from './transform.js';

type Place = Pick<Grid, 'width' | 'height' | 'transform' | 'crs'>;
type Method = 'nearest' | 'bilinear' | 'area';

export interface Warper {
  method: Method;
  /** Target centres on the source grid; for `area` the corners, one more each way. */
  places: Lattice;
  /** Cells of the source grid. */
  width: number;
  height: number;
  /** Columns of a full circle of longitude; 0 where the source has no longitudes. */
  turn: number;
  /** The same where the source goes all the way round, else 0. */
  circle: number;
}

const LEAST_WEIGHT = 0.5;
const CIRCLE = 360;

/** Both grids have a transform and a known CRS. */
export function warper(source: Place, target: Place, method: Method): Warper {
  const { width, height } = source;
  const inverse = inverted(source.transform!);
  const degrees = isGeographicCrs(source.crs);
  const turn = degrees ? Math.abs(CIRCLE / source.transform![1]) : 0;
  const circle = degrees && Math.abs(width - turn) < 1e-6 * turn ? width : 0;
  const move = pointMove(target.crs, source.crs);
  const t = target.transform!;
  const half = method === 'area' ? 0 : 0.5;
  const more = method === 'area' ? 1 : 0;
  const polar = isGeographicCrs(target.crs);
  const places = lattice(target.width + more, target.height + more, (c, r, out) => {
    const x = t[0] + t[1] * (c + half) + t[2] * (r + half);
    const y = t[3] + t[4] * (c + half) + t[5] * (r + half);
    // Rows of cells centred on a pole reach half a cell beyond it.
    move(x, polar && method === 'area' ? Math.max(-90, Math.min(90, y)) : y, out);
    const [sx, sy] = out;
    out[0] = onto(inverse[0] + inverse[1] * sx + inverse[2] * sy, width, turn);
    out[1] = inverse[3] + inverse[4] * sx + inverse[5] * sy;
  });
  return { method, places, width, height, turn, circle };
}

/** A column moved by whole circles of longitude until it lies on the source, where that is possible. */
function onto(column: number, width: number, turn: number): number {
  if (!turn || (column >= 0 && column < width)) return column;
  const moved = ((column % turn) + turn) % turn;
  return moved < width ? moved : column;
}

/** From x and y to column and row. */
function inverted([x, a, b, y, d, e]: Transform): Transform {
  const det = a * e - b * d;
  return [(b * y - e * x) / det, e / det, -b / det, (d * x - a * y) / det, -d / det, a / det];
}

/** Warps one band: `values`, `valid` `[source rows, source columns]` to physical units `[target rows, target columns]`. */
export function warp(
  warper: Warper,
  source: { values: SourceArray; valid: Uint8Array },
  out: { values: Float32Array; valid: Uint8Array; step: number; at: number },
): void {
  const { places, method } = warper;
  const more = method === 'area' ? 1 : 0;
  const [width, height] = [places.width - more, places.height - more];
  const sum = new Sum(source, warper);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const place = row * places.width + column;
      sum.clear();
      if (method === 'area') addOutline(sum, warper, place);
      else addCentre(sum, warper, place);
      const target = row * width + column;
      const value = sum.mean();
      if (Number.isNaN(value)) out.valid[target] = 0;
      else out.values[target * out.step + out.at] = value;
    }
}

/** Weighted mean of source cells, some of which are invalid or outside. */
class Sum {
  #sum = 0;
  #weight = 0;
  #whole = 0;
  constructor(
    readonly source: { values: SourceArray; valid: Uint8Array },
    readonly grid: Pick<Warper, 'width' | 'height' | 'circle'>,
  ) {}

  clear(): void {
    this.#sum = 0;
    this.#weight = 0;
    this.#whole = 0;
  }

  add(column: number, row: number, weight: number): void {
    const { width, height, circle } = this.grid;
    this.#whole += weight;
    const c = circle ? ((column % circle) + circle) % circle : column;
    if (weight <= 1e-9 || c < 0 || c >= width || row < 0 || row >= height) return;
    const cell = row * width + c;
    if (!this.source.valid[cell]) return;
    this.#sum += weight * this.source.values[cell];
    this.#weight += weight;
  }

  /** NaN where less than half of the weight is known. */
  mean(): number {
    const enough = this.#whole > 0 && this.#weight >= LEAST_WEIGHT * (1 - 1e-9) * this.#whole;
    return enough ? this.#sum / this.#weight : Number.NaN;
  }
}

function addCentre(sum: Sum, { method, places, width, height, circle }: Warper, place: number): void {
  const [x, y] = [places.columns[place], places.rows[place]];
  // Of places outside nothing is known; NaN is one of them.
  if (!(y >= 0 && y <= height && (circle || (x >= 0 && x <= width)))) return;
  if (method === 'nearest') {
    sum.add(
      circle ? Math.floor(x) : Math.min(Math.floor(x), width - 1),
      Math.min(Math.floor(y), height - 1),
      1,
    );
    return;
  }
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  const [u, v] = [x - 0.5 - left, y - 0.5 - top];
  // Inside the map the outer half of a border cell repeats it.
  const [top0, top1] = [Math.max(0, top), Math.min(height - 1, top + 1)];
  const [left0, left1] = circle ? [left, left + 1] : [Math.max(0, left), Math.min(width - 1, left + 1)];
  sum.add(left0, top0, (1 - u) * (1 - v));
  sum.add(left1, top0, u * (1 - v));
  sum.add(left0, top1, (1 - u) * v);
  sum.add(left1, top1, u * v);
}

function addOutline(sum: Sum, { places, width, height, turn }: Warper, place: number): void {
  const corners = [place, place + 1, place + places.width, place + places.width + 1];
  const ys = corners.map((i) => places.rows[i]);
  const xs = corners.map((i) => places.columns[i]);
  if (turn) for (let i = 1; i < 4; i++) xs[i] += Math.round((xs[0] - xs[i]) / turn) * turn;
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  // An outline with a corner in space, or that wraps most of the map, is no place.
  if (!(x1 - x0 >= 0 && y1 - y0 >= 0) || x1 - x0 > width + 1 || y1 - y0 > height + 1) return;
  for (let row = Math.floor(y0); row < y1; row++)
    for (let column = Math.floor(x0); column < x1; column++)
      sum.add(column, row, overlap(row, y0, y1) * overlap(column, x0, x1));
}

const overlap = (cell: number, from: number, to: number): number =>
  Math.min(to, cell + 1) - Math.max(from, cell);
