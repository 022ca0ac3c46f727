/** What Arrow's own reader gives of a shard, as views: for checks and for putting shards together. */
import type { RecordBatch } from 'apache-arrow';
import type { StoredArray } from '../../schemas/arrow/index.js';

/** Pixels and masks of one record batch. */
export interface PixelBatch {
  rows: number;
  values: StoredArray;
  /** Bit masks, null when every cell of the shard is valid. */
  masks: Uint8Array | null;
  crc: Uint32Array;
}

/** Views into a record batch; no copy. */
export function pixels(batch: RecordBatch): PixelBatch {
  const child = (name: string) => batch.getChild(name)?.data[0];
  const lists = child('values')!;
  return {
    rows: batch.numRows,
    // Buffers are padded to 8 bytes.
    values: lists.children[0].values.subarray(0, lists.children[0].length),
    masks: (child('valid')?.values as Uint8Array | undefined) ?? null,
    crc: child('crc')!.values,
  };
}
