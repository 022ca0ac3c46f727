/**
 * Frames -> one shard, a pure function of them, so that a job that runs twice writes the same file. Frames lie in the
 * buffers of their record batches from the beginning, and checksums and statistics are taken while they are in the
 * processor's cache.
 */
import { crc32 } from 'node:zlib';
import { type Data, FixedSizeBinary, makeData, RecordBatch, type Schema, Struct, Table } from 'apache-arrow';
import { frameSize, STATISTICS, STORED, type StoredArray, shardSchema } from '../../schemas/arrow/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { giveBuffer, takeBuffer } from '../buffers.js';
import { encodeFile } from './codec.js';
import { statistics } from './statistics.js';

/** A decoded frame: `values [height, width, band]` as stored, `valid [height, width]` 0 or 1. */
export interface EncodableFrame {
  time: number;
  values: StoredArray;
  valid: Uint8Array;
}

/** The frames of a shard as they come. */
export interface ShardBuilder {
  /** Where the values of the next frame may be written before `add`; what is there is left over from others. */
  room(): StoredArray;
  /** Values that do not lie in `room` already are copied there. */
  add(frame: EncodableFrame): void;
  rows(): number;
  /** Arrow IPC file with 16 to 64 frames a record batch (fewer only when a frame is large), in pieces. */
  finish(): Uint8Array[];
  /** Pieces and values are lost. */
  free(): void;
}

/** One record batch in the making. */
interface Batch {
  values: StoredArray;
  rows: { time: number /** Of the values alone. */; crc: number; mask: Uint8Array | null }[];
  stats: Float32Array;
}

const BATCH_BYTES = 8 << 20;

/** `most`: frames that may come. */
export function shardBuilder(description: DatasetDescription, most: number): ShardBuilder {
  const { values: size } = frameSize(description);
  const rows = batchRows(description);
  const batches: Batch[] = [];
  let count = 0;
  const batch = (): Batch => {
    const at = Math.floor(count / rows);
    batches[at] ??= emptyBatch(Math.max(1, Math.min(rows, most - count)), description);
    return batches[at];
  };
  const room = (): StoredArray => {
    const at = count % rows;
    return batch().values.subarray(at * size, (at + 1) * size);
  };
  return {
    room,
    add(frame) {
      const place = room();
      const { values } = frame;
      if (values.buffer !== place.buffer || values.byteOffset !== place.byteOffset) place.set(values);
      addRow(batch(), { ...frame, values: place }, description);
      count++;
    },
    rows: () => count,
    finish() {
      const filled = batches.filter((one) => one.rows.length > 0);
      const masked = filled.some((one) => one.rows.some(({ mask }) => mask));
      const schema = shardSchema(description, masked);
      const records = filled.map((one) => encodeBatch(one, description, schema, masked));
      return encodeFile(new Table(schema, records), description.compression);
    },
    free: () => {
      for (const { values } of batches.splice(0)) giveBuffer(values.buffer);
    },
  };
}

function emptyBatch(rows: number, description: DatasetDescription): Batch {
  const { array: StoredValues } = STORED[description.dtype];
  const bytes = rows * frameSize(description).values * StoredValues.BYTES_PER_ELEMENT;
  const stats = new Float32Array(rows * STATISTICS * description.bands.length);
  return { values: new StoredValues(takeBuffer(bytes)), rows: [], stats };
}

function addRow({ rows, stats }: Batch, frame: EncodableFrame, description: DatasetDescription): void {
  const { time, values, valid } = frame;
  const masked = valid.includes(0);
  const numbers = STATISTICS * description.bands.length;
  const at = rows.length * numbers;
  statistics(values, masked ? valid : null, description, stats.subarray(at, at + numbers));
  rows.push({ time, crc: frameCrc(values, null), mask: masked ? packMask(valid) : null });
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
  { values, rows, stats }: Batch,
  description: DatasetDescription,
  schema: Schema,
  masked: boolean,
): RecordBatch {
  const { values: size, cells, maskBytes } = frameSize(description);
  const n = rows.length;
  const masks = new Uint8Array(masked ? n * maskBytes : 0);
  const all = masked ? packMask(new Uint8Array(cells).fill(1)) : null;
  if (all) for (const [i, { mask }] of rows.entries()) masks.set(mask ?? all, i * maskBytes);
  const crc = Uint32Array.from(rows, (row) => (all ? crc32(row.mask ?? all, row.crc) : row.crc));
  const time = BigInt64Array.from(rows, (row) => BigInt(row.time));
  const children = schema.fields.map(({ name, type }): Data => {
    const plain = { length: n, nullCount: 0 };
    if (name === 'time') return makeData({ ...plain, type, data: time });
    if (name === 'crc') return makeData({ ...plain, type, data: crc });
    if (type instanceof FixedSizeBinary) return makeData({ ...plain, type, data: masks });
    const data =
      name === 'values'
        ? values.subarray(0, n * size)
        : stats.subarray(0, n * STATISTICS * description.bands.length);
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

function packMask(valid: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(valid.length / 8));
  for (let i = 0; i < valid.length; i++) if (valid[i]) out[i >> 3] |= 1 << (i & 7);
  return out;
}
