/** What player.js gets: the frames' records as packed arrays and the fields as bytes. */
import type { ReportData } from '../data.js';
import { centreOf, place } from '../format.js';
import { type Box, packCoast } from '../maps/coast.js';
import { boxOf, mosaicBox, type Stage, southUp } from '../maps/stage.js';
import type { World } from '../maps/world.js';
import { ANOMALY, DEPARTURE, FIELD, PROBABILITY, table } from '../palette.js';
import type { AttentionPack } from './attention.js';
import { openingFrame } from './choose.js';
import type { Fields } from './fields.js';
import { packBytes } from './quantise.js';

export interface PayloadInput {
  data: ReportData;
  stage: Stage;
  fields: Fields | null;
  attention: AttentionPack | null;
  world: World | null;
}

export function payload({ data, stage, fields, attention, world }: PayloadInput) {
  const { index, store, labels, predictions, scores, split } = data;
  if (!index) return null;
  const description = store?.description ?? null;
  const byName = new Map(description?.series.map((s) => [s.name, s]) ?? []);
  const first = new Int32Array(index.seriesNames.length + 1);
  for (let f = 0; f < index.length; f++) first[index.series[f] + 1]++;
  for (let s = 0; s < index.seriesNames.length; s++) first[s + 1] += first[s];
  const series = index.seriesNames.map((name) => {
    const own = byName.get(name);
    const box = own && description ? boxOf(own, description) : null;
    const tile = own?.tile ?? null;
    return {
      name,
      label: seriesLabel(data, name),
      box,
      tile: tile && [tile.row, tile.column, tile.height, tile.width, tile.flip ? 1 : 0],
      up: own && description ? (southUp(own, description) ? 1 : 0) : 0,
    };
  });
  const boxes = series.map((s) => s.box).filter((b) => b !== null) as Box[];
  if (stage.kind === 'map' && stage.mosaic) boxes.push(mosaicBox(stage.mosaic));
  const size = boxes.length ? Math.max(...boxes.map((b) => Math.max(b[2] - b[0], b[3] - b[1]))) : 0;
  const bad = [...index.time.keys()].filter((f) => !index.ok[f]);
  return {
    kind: stage.kind,
    mosaic: stage.mosaic,
    clock: description?.time ?? 'utc',
    step: description?.stepMs ?? null,
    opening: openingFrame(data),
    series,
    first: [...first],
    time: [...index.time],
    probability: floats(predictions?.probability),
    predicted: bytesOf(predictions?.predicted),
    event: predictions ? sparse(predictions.event, 0) : [],
    label: bytesOf(labels?.label),
    ignore: bytesOf(labels?.ignore),
    part: bytesOf(split?.part),
    score: floats(scores?.score),
    p: floats(scores?.p),
    centre: labels ? centres(labels.lat, labels.lon) : [],
    bad: bad.map((f) => [f, store?.frameReason?.(f) ?? 'no reason was recorded']),
    fields: fields && {
      layout: fields.layout,
      width: fields.width,
      height: fields.height,
      keys: fields.keys,
      bands: fields.bands.map(({ name, unit, low, high }) => ({ name, unit, low, high })),
      data: packBytes(fields.bytes, fields.width),
    },
    attention: attention && {
      width: attention.width,
      height: attention.height,
      keys: attention.keys,
      data: packBytes(attention.bytes, attention.width),
    },
    rows: world && { height: world.height, lat: base64(world.rows.lat), degrees: base64(world.rows.degrees) },
    coast: boxes.length ? packCoast(boxes, size > 100 ? 0.3 : size > 40 ? 0.1 : 0.04) : null,
    palettes: {
      field: base64(table(FIELD)),
      departure: base64(table(DEPARTURE)),
      probability: base64(table(PROBABILITY)),
      anomaly: base64(table(ANOMALY)),
    },
  };
}

/** Place of a tile, else the name. */
export function seriesLabel({ store }: ReportData, name: string): string {
  const own = store?.description.series.find((s) => s.name === name);
  return own?.tile && own.footprint && store?.description.sourceGrid.crs !== 'none'
    ? place(...centreOf(own.footprint))
    : name;
}

const base64 = (array: ArrayBufferView): string =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');
const floats = (values: Float64Array | undefined) => (values ? base64(Float32Array.from(values)) : null);
const bytesOf = (values: Int8Array | Uint8Array | undefined) => (values ? base64(values) : null);

function sparse(values: Int32Array, nothing: number): [number, number][] {
  return [...values.entries()].filter(([, v]) => v !== nothing);
}

function centres(lat: Float32Array, lon: Float32Array): [number, number, number][] {
  return [...lat.keys()]
    .filter((f) => !Number.isNaN(lat[f]) && !Number.isNaN(lon[f]))
    .map((f) => [f, Number(lat[f].toFixed(2)), Number(lon[f].toFixed(2))]);
}
