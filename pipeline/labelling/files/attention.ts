/**
 * attention.arrow: where the model looked in each frame; columns series, time and map (`[height * width]` float32). Of a
 * model with taps also a map of each tap on its own grid, and how much each tap counted.
 */
import { readFile } from 'node:fs/promises';
import {
  Field,
  FixedSizeList,
  Float32,
  makeData,
  makeVector,
  Schema,
  Table,
  TimestampMillisecond,
  tableFromIPC,
  tableToIPC,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import * as z from 'zod';
import { ConfigError } from '../../errors.js';
import type { FrameIndex } from '../../shards/index.js';
import type { TapAttention } from '../tapAttention.js';
import { writeWhole } from './csv.js';

interface Grid {
  width: number;
  height: number;
}

/** `attention [frame, height, width]` of every frame of the index. */
export async function writeAttention(
  path: string,
  index: FrameIndex,
  attention: Float32Array,
  { width, height }: Grid,
  taps: TapAttention | null = null,
): Promise<void> {
  const lists = (size: number, values: Float32Array): Vector => {
    const type = new FixedSizeList(size, new Field('cell', new Float32(), false));
    const child = makeData({ type: new Float32(), data: values });
    return new Vector([makeData({ type, length: index.length, child })]);
  };
  const times = BigInt64Array.from(index.time, BigInt);
  const names = Array.from(index.series, (s) => index.seriesNames[s]);
  const columns: Record<string, Vector> = {
    series: vectorFromArray(names, new Utf8()),
    time: makeVector(makeData({ type: new TimestampMillisecond('UTC'), data: times })),
    map: lists(width * height, attention),
  };
  if (taps?.scale) columns.scale = lists(taps.taps.length, taps.scale);
  for (const tap of taps?.taps ?? []) columns[`tap_${tap.name}`] = lists(tap.width * tap.height, tap.maps);
  const grids = taps?.taps.map(({ name, width, height }) => ({ name, width, height }));
  const metadata = new Map([
    ['width', String(width)],
    ['height', String(height)],
    ...(grids ? [['taps', JSON.stringify(grids)] as const] : []),
  ]);
  const fields = Object.entries(columns).map(([name, { type: own }]) => new Field(name, own, false));
  const table = new Table(new Schema(fields, metadata), columns);
  await writeWhole(path, tableToIPC(table, 'file'));
}

/** A tap's grid. */
const Tap = z.strictObject({ name: z.string(), width: z.int().min(1), height: z.int().min(1) });
export type StoredTap = z.infer<typeof Tap>;

/** What `writeAttention` wrote: one row a frame. */
export interface StoredAttention {
  readonly width: number;
  readonly height: number;
  readonly rows: number;
  series(row: number): string;
  /** Milliseconds since 1970, UTC. */
  time(row: number): number;
  /** `[height * width]`, a view. */
  map(row: number): Float32Array;
  /** Empty for a model without taps. */
  readonly taps: readonly StoredTap[];
  /** `[height * width]` of the tap numbered `tap`, a view. */
  tapMap(row: number, tap: number): Float32Array;
  /** Weight of each tap, all 0 for a bad frame; null where taps are not weighed. */
  scale(row: number): Float32Array | null;
}

/** @throws ConfigError for a file of another form; a missing file rejects with ENOENT. */
export async function readAttention(path: string): Promise<StoredAttention> {
  const table = tableFromIPC(await readFile(path));
  const { metadata } = table.schema;
  const [series, time, map, scale] = ['series', 'time', 'map', 'scale'].map((name) => table.getChild(name));
  const [width, height] = ['width', 'height'].map((name) => Number(metadata.get(name)));
  const taps = tapsOf(metadata.get('taps'));
  const tapMaps = taps?.map(({ name }) => table.getChild(`tap_${name}`));
  if (!series || !time || !map || !(width > 0 && height > 0) || !tapMaps || tapMaps.includes(null))
    throw new ConfigError(`${path} has no columns series, time and map with a width and a height`, {
      hint: 'write it again: stormreel label DATASET --model RUN --out FILE --attention FILE',
      fields: { path },
    });
  const row = (column: Vector | null, at: number) => column?.get(at).toArray() as Float32Array;
  return {
    width,
    height,
    rows: table.numRows,
    series: (at) => String(series.get(at)),
    time: (at) => Number(time.get(at)),
    map: (at) => row(map, at),
    taps: taps!,
    tapMap: (at, tap) => row(tapMaps[tap], at),
    scale: (at) => (scale ? row(scale, at) : null),
  };
}

/** Null for text that is no list of taps. */
function tapsOf(text: string | undefined): StoredTap[] | null {
  try {
    return z.array(Tap).parse(JSON.parse(text ?? '[]'));
  } catch {
    return null;
  }
}
