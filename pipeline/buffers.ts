/**
 * Large buffers that are used again and again: fresh ones of a megabyte and more cost page faults when they are written
 * and time when they are collected, more than what a map's numbers cost.
 */

/** Bytes that wait to be used again, all together. */
const MOST_KEPT = 64 * 2 ** 20;
/** Smaller ones are cheap to make. */
const LEAST = 65_536;

const free: ArrayBuffer[] = [];
let held = 0;
const lent = new WeakSet<ArrayBufferLike>();

/** A buffer of exactly `bytes`; what it holds is left over from before. */
export function takeBuffer(bytes: number): ArrayBuffer {
  const at = free.findIndex(({ byteLength }) => byteLength === bytes);
  const buffer = at >= 0 ? free.splice(at, 1)[0] : new ArrayBuffer(bytes);
  if (at >= 0) held -= bytes;
  lent.add(buffer);
  return buffer;
}

/** `bytes` bytes at the beginning of a buffer that may be larger, so that files of many sizes share few buffers. */
export function takeBytes(bytes: number): Uint8Array {
  const step = 2 ** Math.max(6, Math.floor(Math.log2(Math.max(1, bytes))) - 2);
  return new Uint8Array(takeBuffer(Math.ceil(bytes / step) * step), 0, bytes);
}

/** Gives back what `takeBuffer` gave: nobody may use it any more. Other buffers, and those given back, are left alone. */
export function giveBuffer(buffer: ArrayBufferLike): void {
  if (!lent.delete(buffer) || buffer.byteLength < LEAST || buffer.byteLength > MOST_KEPT) return;
  free.push(buffer as ArrayBuffer);
  held += buffer.byteLength;
  while (held > MOST_KEPT) held -= free.shift()!.byteLength;
}
