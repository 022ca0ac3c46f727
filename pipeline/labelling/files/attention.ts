/** attention.arrow: where the model looked in each frame; columns series, time and map (`[height * width]` float32). */
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
import { ConfigError } from '../../errors.js';
import type { FrameIndex } from '../../shards/index.js';
import { writeWhole } from './csv.js';

/** `attention [frame, height, width]` of every frame of the index. */
export async function writeAttention(
  path: string,
  index: FrameIndex,
  attention: Float32Array,
  { width, height }: { width: number; height: number },
): Promise<void> {
  const cells = width * height;
  const type = new FixedSizeList(cells, new Field('cell', new Float32(), false));
  const maps = new Vector([
    makeData({ type, length: index.length, child: makeData({ type: new Float32(), data: attention }) }),
  ]);
  const times = BigInt64Array.from(index.time, BigInt);
  const time = makeVector(makeData({ type: new TimestampMillisecond('UTC'), data: times }));
  const names = Array.from(index.series, (s) => index.seriesNames[s]);
  const columns = { series: vectorFromArray(names, new Utf8()), time, map: maps };
  const metadata = new Map([
    ['width', String(width)],
    ['height', String(height)],
  ]);
  const fields = Object.entries(columns).map(([name, { type: own }]) => new Field(name, own, false));
  const table = new Table(new Schema(fields, metadata), columns);
  await writeWhole(path, tableToIPC(table, 'file'));
}

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
}

/** @throws ConfigError for a file of another form; a missing file rejects with ENOENT. */
export async function readAttention(path: string): Promise<StoredAttention> {
  const table = tableFromIPC(await readFile(path));
  const [series, time, map] = ['series', 'time', 'map'].map((name) => table.getChild(name));
  const [width, height] = ['width', 'height'].map((name) => Number(table.schema.metadata.get(name)));
  if (!series || !time || !map || !(width > 0 && height > 0))
    throw new ConfigError(`${path} has no columns series, time and map with a width and a height`, {
      hint: 'write it again: stormreel label DATASET --model RUN --out FILE --attention FILE',
      fields: { path },
    });
  return {
    width,
    height,
    rows: table.numRows,
    series: (row) => String(series.get(row)),
    time: (row) => Number(time.get(row)),
    map: (row) => map.get(row).toArray() as Float32Array,
  };
}
