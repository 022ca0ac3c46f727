/** The fields a report carries: frames, or for tiles the mosaic of each time, as bytes within a budget. */
import type { Band, Series } from '../../../schemas/records/index.js';
import type { ReportData } from '../data.js';
import type { Mosaic, Stage } from '../maps/stage.js';
import { byImportance } from './choose.js';
import { quantise, type Range, robustRange } from './quantise.js';

/** Cells over all frames and bands; a compressed cell is well under a byte, a hopeless one 1.34. */
export const FIELD_BUDGET = 8_000_000;
const READ_AT_ONCE = 128;
const SMALLEST_EDGE = 40;

export interface FieldBand extends Range {
  name: string;
  /** After the change to usual units. */
  unit: string;
  /** Shown value = stored * scale + offset. */
  scale: number;
  offset: number;
}

export interface Fields {
  layout: 'mosaic' | 'frames';
  width: number;
  height: number;
  bands: FieldBand[];
  /** Times of a mosaic, or frame indices. */
  keys: number[];
  /** `[key, band, height, width]` */
  bytes: Uint8Array;
  /** Cells of the dataset in one shown cell, along an edge. */
  coarser: number;
  /** False where frames or times had to be left out. */
  whole: boolean;
}

export async function readFields(
  data: ReportData,
  stage: Stage,
  budget = FIELD_BUDGET,
): Promise<Fields | null> {
  if (!data.store || !data.index || data.index.length === 0) return null;
  return stage.mosaic ? mosaicFields(data, stage.mosaic, budget) : frameFields(data, budget);
}

async function frameFields(data: ReportData, budget: number): Promise<Fields> {
  const { grid, bands } = data.store!.description;
  const good = byImportance(data).filter((f) => data.index!.ok[f]);
  const used =
    good.length * grid.width * grid.height * bands.length <= budget * 4
      ? bands.slice(0, 4)
      : bands.slice(0, 1);
  const coarser = coarseness(grid, good.length * used.length, budget);
  const [width, height] = [Math.ceil(grid.width / coarser), Math.ceil(grid.height / coarser)];
  const most = Math.max(1, Math.floor(budget / (width * height * used.length)));
  const keys = good.slice(0, most).sort((a, b) => a - b);
  const size = width * height;
  const values = new Float32Array(keys.length * used.length * size);
  await eachFrame(data, keys, (i, cells, valid) => {
    for (let b = 0; b < used.length; b++)
      shrink(
        cells,
        valid,
        { ...grid, band: b, bands: bands.length, coarser },
        values.subarray((i * used.length + b) * size),
      );
  });
  const made = toBytes(values, keys.length, size, used);
  return { layout: 'frames', width, height, keys, ...made, coarser, whole: keys.length === good.length };
}

function coarseness(grid: { width: number; height: number }, maps: number, budget: number): number {
  const wanted = Math.ceil(Math.sqrt((maps * grid.width * grid.height) / budget));
  const most = Math.max(1, Math.floor(Math.min(grid.width, grid.height) / SMALLEST_EDGE));
  return Math.min(Math.max(1, wanted), most);
}

/** Means over the observed cells of each block; NaN where none was observed. */
function shrink(
  cells: Float32Array,
  valid: Uint8Array,
  {
    width,
    height,
    band,
    bands,
    coarser,
  }: { width: number; height: number; band: number; bands: number; coarser: number },
  out: Float32Array,
): void {
  const columns = Math.ceil(width / coarser);
  for (let top = 0, at = 0; top < height; top += coarser)
    for (let left = 0; left < columns * coarser; left += coarser, at++) {
      let [sum, n] = [0, 0];
      for (let r = top; r < Math.min(top + coarser, height); r++)
        for (let c = left; c < Math.min(left + coarser, width); c++)
          if (valid[r * width + c]) {
            sum += cells[(r * width + c) * bands + band];
            n++;
          }
      out[at] = n ? sum / n : Number.NaN;
    }
}

async function mosaicFields(data: ReportData, mosaic: Mosaic, budget: number): Promise<Fields> {
  const { bands, series, sourceGrid } = data.store!.description;
  const index = data.index!;
  const size = mosaic.width * mosaic.height;
  const all = [...new Set(index.time)].sort((a, b) => a - b);
  const used = all.length * size * bands.length <= budget ? bands.slice(0, 4) : bands.slice(0, 1);
  const most = Math.max(1, Math.floor(budget / (size * used.length)));
  const times = all.length <= most ? all : importantTimes(data, most);
  const place = new Map(times.map((time, i) => [time, i]));
  const keys = [...index.time.keys()].filter((f) => index.ok[f] && place.has(index.time[f]));
  const byName = new Map(series.map((s) => [s.name, s]));
  const values = new Float32Array(times.length * used.length * size).fill(Number.NaN);
  await eachFrame(data, keys, (i, cells, valid) => {
    const own = byName.get(index.seriesNames[index.series[keys[i]]]);
    const at = place.get(index.time[keys[i]])! * used.length;
    if (own?.tile)
      lay(
        cells,
        valid,
        { tile: own.tile, mosaic, turn: sourceGrid.width, bands: bands.length, used: used.length, at },
        values,
      );
  });
  const made = toBytes(values, times.length, size, used);
  const { width, height } = mosaic;
  return {
    layout: 'mosaic',
    width,
    height,
    keys: times,
    ...made,
    coarser: 1,
    whole: times.length === all.length,
  };
}

function importantTimes(data: ReportData, most: number): number[] {
  const chosen = new Set<number>();
  for (const f of byImportance(data)) {
    if (chosen.size >= most) break;
    chosen.add(data.index!.time[f]);
  }
  return [...chosen].sort((a, b) => a - b);
}

interface Lay {
  tile: NonNullable<Series['tile']>;
  mosaic: Mosaic;
  /** Columns once round the world. */
  turn: number;
  bands: number;
  used: number;
  /** First map of the time in `out`. */
  at: number;
}

/** Puts a tile's cells where they lie on the mosaic. */
function lay(
  cells: Float32Array,
  valid: Uint8Array,
  { tile, mosaic, turn, bands, used, at }: Lay,
  out: Float32Array,
): void {
  for (let r = 0; r < tile.height; r++) {
    const row = tile.row + (tile.flip ? tile.height - 1 - r : r) - mosaic.row;
    if (row < 0 || row >= mosaic.height) continue;
    for (let c = 0; c < tile.width; c++) {
      const column = mosaic.wraps ? (tile.column + c) % turn : tile.column + c - mosaic.column;
      const cell = r * tile.width + c;
      if (!valid[cell] || column < 0 || column >= mosaic.width) continue;
      for (let b = 0; b < used; b++)
        out[((at + b) * mosaic.height + row) * mosaic.width + column] = cells[cell * bands + b];
    }
  }
}

async function eachFrame(
  { store }: ReportData,
  frames: number[],
  visit: (i: number, cells: Float32Array, valid: Uint8Array) => void,
): Promise<void> {
  const { grid, bands } = store!.description;
  const cells = grid.width * grid.height;
  const size = cells * bands.length;
  const buffers = {
    values: new Float32Array(READ_AT_ONCE * size),
    valid: new Uint8Array(READ_AT_ONCE * cells),
  };
  for (let from = 0; from < frames.length; from += READ_AT_ONCE) {
    const some = frames.slice(from, from + READ_AT_ONCE);
    await store!.read(some, buffers);
    for (let i = 0; i < some.length; i++)
      visit(
        from + i,
        buffers.values.subarray(i * size, (i + 1) * size),
        buffers.valid.subarray(i * cells, (i + 1) * cells),
      );
  }
}

function toBytes(values: Float32Array, keys: number, size: number, used: readonly Band[]) {
  const bytes = new Uint8Array(values.length);
  const bands = used.map((band, b) => {
    const own = new Float32Array(keys * size);
    for (let k = 0; k < keys; k++)
      own.set(values.subarray((k * used.length + b) * size, (k * used.length + b + 1) * size), k * size);
    const usual = usualUnit(band, own);
    const shown = own.map((v) => v * usual.scale + usual.offset);
    const range = robustRange(shown);
    const quantised = quantise(shown, range);
    for (let k = 0; k < keys; k++)
      bytes.set(quantised.subarray(k * size, (k + 1) * size), (k * used.length + b) * size);
    return { name: band.name, ...usual, ...range };
  });
  return { bands, bytes };
}

/** Pressure in hPa and temperature in degrees Celsius, as maps are read. */
function usualUnit({ unit }: Band, values: Float32Array): { unit: string; scale: number; offset: number } {
  const some = values.find((v) => !Number.isNaN(v)) ?? 0;
  if (unit === 'Pa' && some > 20_000) return { unit: 'hPa', scale: 0.01, offset: 0 };
  if ((unit === 'K' || unit === 'kelvin') && some > 150)
    return { unit: '\u00b0C', scale: 1, offset: -273.15 };
  return { unit: unit ?? '', scale: 1, offset: 0 };
}
