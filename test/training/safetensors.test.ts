import { describe, expect, it } from 'vitest';
import { ModelMismatchError } from '../../pipeline/errors.js';
import { decodeSafetensors, encodeSafetensors } from '../../pipeline/training/safetensors.js';

const tensors = new Map([
  ['member0/encoder/kernel', { shape: [2, 2], values: Float32Array.of(1, -2, 3.5, Number.NaN) }],
  ['member0/encoder/gain', { shape: [1], values: Float32Array.of(7) }],
  ['none', { shape: [0, 3], values: new Float32Array(0) }],
]);
const bytes = encodeSafetensors({ tensors, metadata: { format: 'stormreel 1' } });

describe('safetensors', () => {
  it('reads back what was written, names in order', () => {
    const found = decodeSafetensors(bytes, 'x');
    expect([...found.tensors]).toEqual([...tensors]);
    expect(found.metadata).toEqual({ format: 'stormreel 1' });
  });

  it('has the layout of the format: length, JSON padded to 8 bytes, values', () => {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString());
    expect(header['member0/encoder/gain']).toEqual({ dtype: 'F32', shape: [1], data_offsets: [16, 20] });
    expect(new DataView(bytes.buffer, bytes.byteOffset).getFloat32(8 + length + 16, true)).toBe(7);
  });

  it('refuses every truncation of a file', () => {
    for (let end = 0; end < bytes.length; end++) {
      try {
        decodeSafetensors(bytes.subarray(0, end), 'weights');
        expect.unreachable(`accepted ${end} of ${bytes.length} bytes`);
      } catch (error) {
        expect(error).toBeInstanceOf(ModelMismatchError);
        expect((error as ModelMismatchError).fields).toMatchObject({ path: 'weights' });
      }
    }
  });
});
