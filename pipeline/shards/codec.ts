/** Arrow files with LZ4 record batches (Arrow's BodyCompression); importing this file registers the codec for reading. */
import {
  CompressionType,
  compressionRegistry,
  MessageReader,
  RecordBatchFileWriter,
  type Table,
  tableToIPC,
} from 'apache-arrow';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import type { DatasetDescription } from '../../schemas/records/index.js';

const MAGIC_BYTES = 8;
/** Before each compressed buffer: its length uncompressed, or -1. */
const LENGTH_BYTES = 8;
/** Lengths of the buffers of the file that is being written, in order. */
let lengths: number[] = [];

compressionRegistry.set(CompressionType.LZ4_FRAME, {
  encode: (bytes) => {
    lengths.push(bytes.byteLength);
    return compressFrameSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  },
  decode: (bytes) => decompressFrameSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
});

/** A compressed buffer as it lies in the file -> its `expected` bytes. */
export function decodeBuffer(bytes: Uint8Array, expected: number): Uint8Array<ArrayBuffer> {
  const before = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigInt64(0, true);
  const body = bytes.subarray(LENGTH_BYTES);
  if (before >= 0 && Number(before) < expected) throw new Error('a compressed buffer is too short');
  const plain =
    before < 0 ? body : decompressFrameSync(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  if (plain.length < expected) throw new Error('a compressed buffer is too short');
  return Uint8Array.from(plain.subarray(0, expected)); // aligned for any type
}

/** The bytes of an Arrow file, in pieces; those that are not compressed are views of the table's own buffers. */
export function encodeFile(table: Table, compression: DatasetDescription['compression']): Uint8Array[] {
  if (!compression) return new PieceWriter().piecesOf(table);
  lengths = [];
  const bytes = tableToIPC(table, 'file', CompressionType.LZ4_FRAME);
  return [withLengths(bytes, lengths)];
}

/** Smaller pieces are joined. */
const PIECE_BYTES = 65_536;

/** Writes a file without copying its large buffers, where apache-arrow's own joins all. */
class PieceWriter extends RecordBatchFileWriter {
  readonly #pieces: Uint8Array[] = [];
  #small: Uint8Array[] = [];

  piecesOf(table: Table): Uint8Array[] {
    this.writeAll(table);
    this.finish();
    this.#join();
    return this.#pieces;
  }

  protected override _write(chunk: ArrayBufferView): this {
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (!this._started || bytes.length === 0) return this;
    this._position += bytes.length;
    if (bytes.length < PIECE_BYTES) this.#small.push(bytes);
    else {
      this.#join();
      this.#pieces.push(bytes);
    }
    return this;
  }

  #join(): void {
    if (this.#small.length > 0) this.#pieces.push(Buffer.concat(this.#small));
    this.#small = [];
  }
}

/**
 * apache-arrow 21.2 writes the compressed length in front of a compressed buffer; the format wants the length before
 * compression (Arrow columnar format, "Compression"), and other readers rely on it.
 */
function withLengths(bytes: Uint8Array, lengthsBefore: readonly number[]): Uint8Array {
  const table = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages = new MessageReader(bytes.subarray(MAGIC_BYTES));
  let buffer = 0;
  for (const message of messages) {
    const body = messages.readMessageBody(message.bodyLength);
    if (!message.isRecordBatch()) continue;
    for (const { offset, length } of message.header().buffers) {
      if (length === 0) continue;
      const at = body.byteOffset - bytes.byteOffset + offset;
      const before = lengthsBefore[buffer++];
      if (table.getBigInt64(at, true) >= 0) table.setBigInt64(at, BigInt(before), true); // -1: not compressed
    }
  }
  return bytes;
}
