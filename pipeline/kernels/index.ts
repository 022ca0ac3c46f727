/**
 * Small WebAssembly kernels, compiled from assembly/ by `npm run build`. A kernel works on a memory of its own: copy in,
 * call, copy out.
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

/** What Node has and TypeScript's `es2023` does not name. */
interface WebAssemblyApi {
  Memory: new (limits: { initial: number; maximum?: number }) => Kernel['memory'];
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
}
const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** Instantiates kernel `name` with `pages` of 64 KiB; the compiled file lies in dist even where this file runs from source. */
export function loadKernel(name: string, { pages }: { pages: number }): Kernel {
  const memory = new wasm.Memory({ initial: pages });
  const module = new wasm.Module(readFileSync(kernelFile(name)));
  const { exports } = new wasm.Instance(module, { env: { memory, abort } });
  return { functions: exports as KernelExports, memory };
}

function kernelFile(name: string): string {
  const here = import.meta.url;
  const folder = here.endsWith('.ts') ? '../../dist/pipeline/kernels/' : './';
  return fileURLToPath(new URL(`${folder}${name}.wasm`, here));
}

function abort(): never {
  throw new Error('a kernel gave up');
}
