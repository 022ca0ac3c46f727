/**
 * One shard, open for reading rows by range: where each record batch keeps its pixels, masks and checksums comes from
 * the Arrow footer and the batch's own header, never from the pixels' neighbours.
 */
import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Footer } from 'apache-arrow/ipc/metadata/file';
import { type RecordBatch as BatchHeader, Message } from 'apache-arrow/ipc/metadata/message';
import { frameSize, STORED, shardSchema } from '../../schemas/arrow/index.js';
import type { DatasetDescription } from '../../schemas/records/index.js';
import { decodeBuffer } from './codec.js';

export interface ShardFile {
  /** Throws an Error where the file is not what the description says. */
  batch(number: number): BatchPlace;
  /** Fills `out` from byte `position` on. */
  read(out: Uint8Array, position: number): void;
  /** All bytes of a buffer, decompressed. */
  whole(region: Region, compressed: boolean): Uint8Array<ArrayBuffer>;
  close(): Promise<void>;
}

export interface BatchPlace {
  rows: number;
  /** Checksum of each row. */
  crc: Uint32Array;
  /** True where values and masks must be decompressed as a whole. */
  compressed: boolean;
  values: Region;
  /** Null when every cell of the shard is valid. */
  masks: Region | null;
}

/** A buffer in the file; `plain` bytes of it are frames. */
export interface Region {
  at: number;
  length: number;
  plain: number;
}

/** `ARROW1` and the length of the footer. */
const TAIL_BYTES = 10;
/** Marker and length before a message. */
const PREFIX_BYTES = 8;

/** `size`: bytes of the file. */
export function shardFile(file: FileHandle, size: number, description: DatasetDescription): ShardFile {
  const places: BatchPlace[] = [];
  const read = (out: Uint8Array, position: number) => readExactly(file.fd, out, position, size);
  const footer = readFooter(read, size);
  const fields = footer.schema.fields.map(({ name }) => name).join(' ');
  const masked = fields === namesOf(description, true);
  if (!masked && fields !== namesOf(description, false)) throw new Error(`its columns are ${fields}`);
  return {
    read,
    whole: (region, compressed) => readWhole(read, region, compressed),
    close: () => file.close(),
    batch(number) {
      places[number] ??= readBatch(read, footer, number, description, masked);
      return places[number];
    },
  };
}

type Read = ShardFile['read'];

const namesOf = (description: DatasetDescription, masked: boolean): string =>
  shardSchema(description, masked)
    .fields.map(({ name }) => name)
    .join(' ');

function readExactly(fd: number, out: Uint8Array, position: number, size: number): void {
  if (!(position >= 0 && position + out.length <= size)) throw new Error('it ends early');
  for (let done = 0; done < out.length; ) {
    const count = readSync(fd, out, done, out.length - done, position + done);
    if (count === 0) throw new Error('it ends early');
    done += count;
  }
}

function readFooter(read: Read, size: number): Footer {
  const tail = Buffer.alloc(TAIL_BYTES);
  read(tail, size - TAIL_BYTES);
  const length = tail.readInt32LE(0);
  if (tail.toString('latin1', 4) !== 'ARROW1' || length <= 0)
    throw new Error('it does not end as an Arrow file');
  const bytes = new Uint8Array(inFile(length, size));
  read(bytes, size - TAIL_BYTES - length);
  return Footer.decode(bytes);
}

function readBatch(
  read: Read,
  footer: Footer,
  number: number,
  description: DatasetDescription,
  masked: boolean,
): BatchPlace {
  const block = footer.getRecordBatch(number);
  if (!block) throw new Error(`it has no record batch ${number}`);
  if (block.metaDataLength < PREFIX_BYTES || block.metaDataLength > 1 << 20)
    throw new Error(`the header of record batch ${number} has ${block.metaDataLength} bytes`);
  const prefixed = new Uint8Array(block.metaDataLength);
  read(prefixed, block.offset);
  const header = Message.decode(prefixed.subarray(PREFIX_BYTES)).header() as BatchHeader;
  const compressed = header.compression !== null && header.compression !== undefined;
  const { values, maskBytes } = frameSize(description);
  const frameBytes = values * STORED[description.dtype].array.BYTES_PER_ELEMENT;
  const rows = inFile(header.length, 1 << 20);
  // Buffers in the order of the columns, each with one for nulls: time, values and its items, stats and its items, crc, valid.
  const region = (buffer: number, plain: number): Region => {
    const { offset, length } = header.buffers[buffer];
    if ((!compressed && length < plain) || offset < 0 || length < 0 || offset + length > block.bodyLength)
      throw new Error(
        `record batch ${number} has ${length} bytes where ${rows} frames of this dataset take ${plain}`,
      );
    return { at: block.offset + block.metaDataLength + offset, length, plain };
  };
  const crc = readWhole(read, region(9, 4 * rows), compressed);
  return {
    rows,
    compressed,
    crc: new Uint32Array(crc.buffer, 0, rows),
    values: region(4, rows * frameBytes),
    masks: masked ? region(11, rows * maskBytes) : null,
  };
}

function readWhole(read: Read, { at, length, plain }: Region, compressed: boolean): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(compressed ? length : plain);
  read(bytes, at);
  return compressed && plain > 0 ? decodeBuffer(bytes, plain) : bytes;
}

/** A length from the file, before memory is taken for it. */
function inFile(count: number, most: number): number {
  if (count >= 0 && count <= most) return count;
  throw new Error(`it tells of ${count} entries where there can be ${most}`);
}
