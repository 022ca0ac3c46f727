import { expect, test } from 'vitest';
import { giveBuffer, takeBuffer, takeBytes } from '../pipeline/buffers.js';

const MIB = 2 ** 20;

test('a buffer that was given back is lent again, once, and only for its own size', () => {
  const first = takeBuffer(MIB);
  giveBuffer(first);
  expect(takeBuffer(2 * MIB)).not.toBe(first);
  expect(takeBuffer(MIB)).toBe(first);
  expect(takeBuffer(MIB)).not.toBe(first);
});

test('a buffer given back twice, or made by others, is lent to nobody', () => {
  const mine = takeBuffer(3 * MIB);
  giveBuffer(mine);
  giveBuffer(mine);
  const others = new ArrayBuffer(3 * MIB);
  giveBuffer(others);
  const lent = [1, 2, 3].map(() => takeBuffer(3 * MIB));
  expect(lent.filter((one) => one === mine)).toHaveLength(1);
  expect(lent).not.toContain(others);
});

test('what waits to be lent again is bounded', () => {
  const many = Array.from({ length: 20 }, () => takeBuffer(5 * MIB));
  many.forEach(giveBuffer);
  const again = Array.from({ length: 20 }, () => takeBuffer(5 * MIB));
  expect(again.filter((one) => many.includes(one)).length).toBeLessThanOrEqual(12);
});

test('takeBytes() lets files of nearly one size share a buffer, at most a quarter larger than they', () => {
  const first = takeBytes(1_000_000);
  expect(first.length).toBe(1_000_000);
  giveBuffer(first.buffer);
  const second = takeBytes(1_000_500);
  expect(second.length).toBe(1_000_500);
  expect(second.buffer).toBe(first.buffer);
  for (const bytes of [0, 1, 4_095, 4_097, 100_000, 3 * MIB + 1, 2 ** 26 - 1]) {
    const its = takeBytes(bytes);
    expect(its.length).toBe(bytes);
    expect(its.buffer.byteLength).toBeLessThanOrEqual(Math.max(64, bytes * 1.25));
  }
});
