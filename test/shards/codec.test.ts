import { MessageReader, RecordBatchReader, tableFromArrays, tableToIPC } from 'apache-arrow';
import { expect, it } from 'vitest';
import { encodeFile } from '../../pipeline/shards/codec.js';

const encoded = (...args: Parameters<typeof encodeFile>) =>
  new Uint8Array(Buffer.concat(encodeFile(...args)));

const numbers = Float32Array.from({ length: 5_000 }, (_, i) => i >> 6);

it('a compressed file gives back its numbers and is smaller', () => {
  const table = () => tableFromArrays({ a: numbers, b: Int8Array.from(numbers) });
  const packed = encoded(table(), 'lz4');
  expect(packed.length).toBeLessThan(encoded(table(), undefined).length / 4);
  const [batch] = RecordBatchReader.from(packed);
  expect(batch.getChild('a')?.toArray()).toEqual(numbers);
});

it('the pieces of a file that is not compressed are those bytes that apache-arrow writes, large buffers not copied', () => {
  const large = Float64Array.from({ length: 20_000 }, (_, i) => i);
  const table = tableFromArrays({ a: large, b: Int8Array.from(large) });
  const pieces = encodeFile(table, undefined);
  expect(Buffer.concat(pieces).equals(tableToIPC(table, 'file'))).toBe(true);
  expect(pieces.filter(({ buffer }) => buffer === table.getChild('a')?.data[0].values.buffer)).toHaveLength(
    1,
  );
});

it('each compressed buffer says how long it was before, as the Arrow format has it', () => {
  const packed = encoded(tableFromArrays({ a: numbers, b: Int8Array.from(numbers) }), 'lz4');
  const messages = new MessageReader(packed.subarray(8));
  const found: number[] = [];
  for (const message of messages) {
    const body = messages.readMessageBody(message.bodyLength);
    if (!message.isRecordBatch()) continue;
    for (const { offset, length } of message.header().buffers)
      if (length > 0)
        found.push(Number(new DataView(body.buffer, body.byteOffset + offset).getBigInt64(0, true)));
  }
  expect(found).toEqual([20_000, 5_000]);
});
