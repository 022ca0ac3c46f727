import { expect, test } from 'vitest';
import { loadKernel } from '../../pipeline/kernels/index.js';

test('unpackU8() gives the same numbers for every length and every byte', () => {
  const { functions, memory } = loadKernel('unpack', { pages: 1 });
  for (const n of [0, 1, 15, 16, 17, 256, 300]) {
    const bytes = Uint8Array.from({ length: n }, (_, i) => i & 255);
    new Uint8Array(memory.buffer).set(bytes, 1024);
    functions.unpackU8(1024, 8192, n);
    expect(new Float32Array(memory.buffer, 8192, n)).toEqual(Float32Array.from(bytes));
  }
});
