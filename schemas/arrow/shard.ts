/** Columns of a shard, one row a frame. Pixels: `values` runs over row, column, band, band fastest. */
import {
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float32,
  Int16,
  Schema,
  TimestampMillisecond,
  Uint8,
  Uint16,
  Uint32,
} from 'apache-arrow';
import type { DatasetDescription, Dtype } from '../records/index.js';

/** Arrow type and array of each stored type. */
export const STORED = {
  u8: { type: () => new Uint8(), array: Uint8Array },
  i16: { type: () => new Int16(), array: Int16Array },
  u16: { type: () => new Uint16(), array: Uint16Array },
  f32: { type: () => new Float32(), array: Float32Array },
} as const satisfies Record<Dtype, unknown>;

export type StoredArray = Uint8Array | Int16Array | Uint16Array | Float32Array;

/** Numbers in the `stats` column for each band: least, mean and largest valid value, physical units. */
export const STATISTICS = 3;

/** Numbers of one frame. */
export function frameSize({ grid, bands }: Pick<DatasetDescription, 'grid' | 'bands'>): {
  cells: number;
  values: number;
  maskBytes: number;
} {
  const cells = grid.width * grid.height;
  return { cells, values: cells * bands.length, maskBytes: Math.ceil(cells / 8) };
}

/** Schema of a shard; the mask column is absent when every cell of every frame is valid. */
export function shardSchema(description: DatasetDescription, masked: boolean): Schema {
  const { values, maskBytes } = frameSize(description);
  const item = STORED[description.dtype].type();
  return new Schema([
    new Field('time', new TimestampMillisecond('UTC'), false),
    new Field('values', new FixedSizeList(values, new Field('item', item, false)), false),
    new Field(
      'stats',
      new FixedSizeList(STATISTICS * description.bands.length, new Field('item', new Float32(), true)),
      false,
    ),
    new Field('crc', new Uint32(), false),
    ...(masked ? [new Field('valid', new FixedSizeBinary(maskBytes), false)] : []),
  ]);
}
