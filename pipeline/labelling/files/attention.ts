/** attention.arrow: where the model looked in each frame; columns series, time and map (`[height * width]` float32). */
import {
  Field,
  FixedSizeList,
  Float32,
  makeData,
  makeVector,
  Schema,
  Table,
  TimestampMillisecond,
  tableToIPC,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
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
