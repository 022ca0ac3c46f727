/** Frames -> the bytes of one shard: a pure function, so that a job that runs twice writes the same file. */
import { crc32 } from 'node:zlib';
import { type Data, FixedSizeBinary, makeData, RecordBatch, type Schema, Struct, Table } from 'apache-arrow';
import { frameSize, STATISTICS, STORED, type StoredArray, shardSchema } from '../../schemas/arrow/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { encodeFile } from './codec.js';

/** A decoded frame: `values [height, width, band]` as stored, `valid [height, width]` 0 or 1. */
export interface EncodableFrame {
  time: number;
  values: StoredArray;
  valid: Uint8Array;
}

const BATCH_BYTES = 8 << 20;

/** Arrow IPC file with 16 to 64 frames a record batch (fewer only when a frame is large). */
export function encodeShard(frames: readonly EncodableFrame[], description: DatasetDescription): Uint8Array {
  const masked = frames.some(({ valid }) => valid.includes(0));
  const schema = shardSchema(description, masked);
  const rows = batchRows(description);
  const batches: RecordBatch[] = [];
  for (let i = 0; i < frames.length; i += rows)
    batches.push(encodeBatch(frames.slice(i, i + rows), description, schema, masked));
  return encodeFile(new Table(schema, batches), description.compression);
}

/** Frames in one record batch. */
export function batchRows(description: DatasetDescription): number {
  const bytes = frameSize(description).values * STORED[description.dtype].array.BYTES_PER_ELEMENT;
  return Math.max(
    1,
    Math.min(64, Math.max(bytes * 16 > 4 * BATCH_BYTES ? 1 : 16, Math.floor(BATCH_BYTES / bytes))),
  );
}

/** crc32 over the frame's stored values and its mask. */
export function frameCrc(values: StoredArray, mask: Uint8Array | null): number {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return mask ? crc32(mask, crc32(bytes)) : crc32(bytes);
}

function encodeBatch(
  frames: readonly EncodableFrame[],
  description: DatasetDescription,
  schema: Schema,
  masked: boolean,
): RecordBatch {
  const { values: size, maskBytes } = frameSize(description);
  const { array: StoredValues } = STORED[description.dtype];
  const n = frames.length;
  const values = new StoredValues(n * size);
  const masks = new Uint8Array(masked ? n * maskBytes : 0);
  const crc = new Uint32Array(n);
  const stats = new Float32Array(n * STATISTICS * description.bands.length);
  frames.forEach((frame, i) => {
    values.set(frame.values, i * size);
    const mask = masked ? packMask(frame.valid, masks.subarray(i * maskBytes, (i + 1) * maskBytes)) : null;
    crc[i] = frameCrc(values.subarray(i * size, (i + 1) * size), mask);
    statistics(frame, description, stats.subarray((i * stats.length) / n, ((i + 1) * stats.length) / n));
  });
  const time = BigInt64Array.from(frames, (frame) => BigInt(frame.time));
  const children = schema.fields.map(({ name, type }): Data => {
    const plain = { length: n, nullCount: 0 };
    if (name === 'time') return makeData({ ...plain, type, data: time });
    if (name === 'crc') return makeData({ ...plain, type, data: crc });
    if (type instanceof FixedSizeBinary) return makeData({ ...plain, type, data: masks });
    const data = name === 'values' ? values : stats;
    const item = type.children[0].type;
    return makeData({
      ...plain,
      type,
      child: makeData({ type: item, length: data.length, nullCount: 0, data }),
    });
  });
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: n, nullCount: 0, children }),
  );
}

function packMask(valid: Uint8Array, out: Uint8Array): Uint8Array {
  for (let i = 0; i < valid.length; i++) if (valid[i]) out[i >> 3] |= 1 << (i & 7);
  return out;
}

function statistics(
  { values, valid }: EncodableFrame,
  { bands }: DatasetDescription,
  out: Float32Array,
): void {
  bands.forEach(({ scale, offset }, band) => {
    // One declaration each: taken apart from an array they cost twice the time.
    let least = Number.POSITIVE_INFINITY;
    let largest = Number.NEGATIVE_INFINITY;
    let sum = 0;
    let n = 0;
    for (let cell = 0, at = band; cell < valid.length; cell++, at += bands.length) {
      if (valid[cell] === 0) continue;
      const value = values[at] * scale + offset;
      least = Math.min(least, value);
      largest = Math.max(largest, value);
      sum += value;
      n++;
    }
    out.set(n ? [least, sum / n, largest] : [Number.NaN, Number.NaN, Number.NaN], band * STATISTICS);
  });
}
