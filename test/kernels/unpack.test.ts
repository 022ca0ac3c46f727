import { expect, test } from 'vitest';
import { kernelMemory, loadKernel, loadKernelOn } from '../../pipeline/kernels/index.js';

test('unpackU8() gives the same numbers for every length and every byte', () => {
  const { functions, memory } = loadKernel('unpack', { pages: 1 });
  for (const n of [0, 1, 15, 16, 17, 256, 300]) {
    const bytes = Uint8Array.from({ length: n }, (_, i) => i & 255);
    new Uint8Array(memory.buffer).set(bytes, 1024);
    functions.unpackU8(1024, 8192, n);
    expect(new Float32Array(memory.buffer, 8192, n)).toEqual(Float32Array.from(bytes));
  }
});

test('the kernels do the same on memory that threads share', () => {
  const memory = kernelMemory({ pages: 1, shared: true });
  const shared = loadKernelOn('unpackShared', memory);
  const own = loadKernel('unpack', { pages: 1 });
  const input = Uint8Array.from({ length: 4096 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
  const table = Float64Array.of(
    ...Array(4).fill([0.5, 3, 7]).flat(),
    ...Array(4).fill([-1, 0.1, 1e6]).flat(),
  );
  const results = [
    { functions: shared, buffer: memory.buffer },
    { functions: own.functions, buffer: own.memory.buffer },
  ].map(({ functions, buffer }) => {
    new Uint8Array(buffer).set(input, 1024);
    new Float64Array(buffer, 8192, table.length).set(table);
    ['unpackU8', 'unpackI16', 'unpackU16', 'scaleU8', 'scaleI16', 'scaleU16'].forEach((name, i) => {
      functions[name](1024, 16_384 + 1024 * i, 201, 3, 8192);
    });
    functions.spreadMask(1024, 60_000, 333);
    functions.clearInvalid(1024, 16_384, 333, 3);
    functions.copyBytes(1024, 62_000, 100);
    functions.fillBytes(62_100, 7, 9);
    return [...new Uint8Array(buffer)];
  });
  expect(results[0]).toEqual(results[1]);
});

test('masks are spread and applied cell by cell, at every number of cells', () => {
  const { functions, memory } = loadKernel('unpack', { pages: 1 });
  const bytes = new Uint8Array(memory.buffer);
  for (const cells of [1, 7, 8, 9, 64, 77])
    for (const bits of [0, 255, 0b10010110]) {
      const valid = Array.from({ length: cells }, (_, c) => (bits >> (c & 7)) & 1);
      bytes.fill(bits, 1024, 1024 + 10).fill(9, 2048, 2048 + 128);
      const values = new Float32Array(memory.buffer, 4096, 2 * cells + 1).fill(5);
      functions.spreadMask(1024, 2048, cells);
      functions.clearInvalid(1024, 4096, cells, 2);
      expect([...bytes.subarray(2048, 2049 + cells)]).toEqual([...valid, 9]);
      expect([...values]).toEqual([...valid.flatMap((one) => [5 * one, 5 * one]), 5]);
    }
});
