/** The inside of a guarded thread: answers one call after the other. */
import { readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';

// biome-ignore lint/suspicious/noExplicitAny: what a method takes is between it and its caller
type Method = (...args: any[]) => unknown;

/** Buffers of typed arrays in the answer are moved, not copied. */
export function serveCalls(methods: Readonly<Record<string, Method>>): void {
  const port = parentPort;
  if (!port) throw new Error('this file runs as a thread');
  port.on('message', async ({ method, args }: { method: string; args: unknown[] }) => {
    try {
      const value = await methods[method](...args);
      port.postMessage({ value }, ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : []);
    } catch (error) {
      port.postMessage({ error: String((error as Error)?.message ?? error) });
    }
  });
  port.postMessage(ownTask());
}

/** The number by which the parent finds this thread's processor time; null without /proc. */
function ownTask(): number | null {
  try {
    return Number(/\d+$/.exec(readlinkSync('/proc/thread-self'))?.[0] ?? Number.NaN) || null;
  } catch {
    return null;
  }
}

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Refuses WebAssembly memory above `bytes`: the library inside sees a failed allocation and gives up the file. */
export function capWasmMemory(bytes: number): void {
  // Node's own types leave WebAssembly out.
  const wasm = (globalThis as unknown as { WebAssembly: { Memory: { prototype: WasmMemory } } }).WebAssembly;
  const { prototype } = wasm.Memory;
  const { grow } = prototype;
  prototype.grow = function capped(this: WasmMemory, pages: number) {
    if (this.buffer.byteLength + pages * 65_536 > bytes)
      throw new RangeError(`over ${bytes} bytes of memory would be needed`);
    return grow.call(this, pages);
  };
}

/** Keeps what a library writes straight to stderr (HDF5 a stack of diagnostics for each fault) to itself: our error tells it. */
export function silenceStderr(): void {
  const files = createRequire(import.meta.url)('node:fs') as typeof import('node:fs');
  const { writeSync } = files;
  const silent = (fd: number, data: Uint8Array, offset = 0, length = data.byteLength, position?: number) =>
    fd === 2 ? length : writeSync(fd, data, offset, length, position);
  files.writeSync = silent as typeof writeSync;
}
