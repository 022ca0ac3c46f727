/**
 * Small WebAssembly kernels, compiled from assembly/ by `npm run build`. A kernel works on a memory of its own: copy in,
 * call, copy out; or on one that it is given, where the data lie already.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Functions of one kernel file; numbers in, numbers out. */
export type KernelExports = Record<string, (...numbers: number[]) => number>;

export interface Kernel {
  readonly functions: KernelExports;
  /** The kernel's memory; views are lost when it grows. */
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
}

/** Memory that stays as large as it was made; a SharedArrayBuffer where threads share it. */
export interface KernelMemory {
  readonly buffer: ArrayBufferLike;
}

/** Bytes of a page, and most of them in one memory: 4 GiB. */
export const KERNEL_PAGE = 65_536;
export const MOST_KERNEL_PAGES = 65_536;

/** What Node has and TypeScript's `es2023` does not name. */
interface WebAssemblyApi {
  Memory: new (limits: { initial: number; maximum?: number; shared?: boolean }) => Kernel['memory'];
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
}
const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** Instantiates kernel `name` with `pages` of 64 KiB; the compiled file lies in dist even where this file runs from source. */
export function loadKernel(name: string, { pages }: { pages: number }): Kernel {
  const memory = new wasm.Memory({ initial: pages });
  return { functions: loadKernelOn(name, memory), memory };
}

/** Kernel `name` on a memory made before; a kernel that was compiled for shared memory needs one. */
export function loadKernelOn(name: string, memory: KernelMemory): KernelExports {
  const module = new wasm.Module(readFileSync(kernelFile(name)));
  const { exports } = new wasm.Instance(module, { env: { memory, abort } });
  return exports as KernelExports;
}

/** Pages are taken from the system when they are first written to. RangeError where the system has no room for so many. */
export function kernelMemory({ pages, shared }: { pages: number; shared: boolean }): KernelMemory {
  return new wasm.Memory({ initial: pages, maximum: pages, shared });
}

function kernelFile(name: string): string {
  const here = import.meta.url;
  const folder = here.endsWith('.ts') ? '../../dist/pipeline/kernels/' : './';
  return fileURLToPath(new URL(`${folder}${name}.wasm`, here));
}

function abort(): never {
  throw new Error('a kernel gave up');
}
