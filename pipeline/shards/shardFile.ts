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

export interface ShardFile {
  /** Throws an Error where the file is not what the description says. */
  batch(number: number): BatchPlace;
  /** Fills `out` from byte `position` on. */
  read(out: Uint8Array, position: number): void;
  close(): Promise<void>;
}

/** Byte positions in the file. */
export interface BatchPlace {
  rows: number;
  values: number;
  /** Null when every cell of the shard is valid. */
  masks: number | null;
  /** Checksum of each row. */
  crc: Uint32Array;
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
  if (header.compression) throw new Error('its record batches are compressed');
  const { values, maskBytes } = frameSize(description);
  const frameBytes = values * STORED[description.dtype].array.BYTES_PER_ELEMENT;
  const body = block.offset + block.metaDataLength;
  const rows = header.length;
  // Buffers in the order of the columns, each with one for nulls: time, values and its items, stats and its items, crc, valid.
  const place = (buffer: number, bytes: number): number => {
    const { offset, length } = header.buffers[buffer];
    if (length < bytes || offset < 0 || offset + bytes > block.bodyLength)
      throw new Error(
        `record batch ${number} has ${length} bytes where ${rows} frames of this dataset take ${bytes}`,
      );
    return body + offset;
  };
  const crc = new Uint32Array(inFile(rows, 1 << 20));
  read(new Uint8Array(crc.buffer), place(9, 4 * rows));
  return {
    rows,
    crc,
    values: place(4, rows * frameBytes),
    masks: masked ? place(11, rows * maskBytes) : null,
  };
}

/** A length from the file, before memory is taken for it. */
function inFile(count: number, most: number): number {
  if (count >= 0 && count <= most) return count;
  throw new Error(`it tells of ${count} entries where there can be ${most}`);
}
