/**
 * WebAssembly backend, always there. Its .wasm files come from the installed package; gradients it lacks are
 * composed from what it has (../wasm/).
 */
import { dirname, join, sep } from 'node:path';
import { registerWasmGradients } from '../wasm/register.js';
import type { Opened } from './choice.js';
import { load, tf } from './tfjs.js';

type Wasm = typeof import('@tensorflow/tfjs-backend-wasm');

export async function openWasm(): Promise<Opened> {
  const wasm = load('@tensorflow/tfjs-backend-wasm') as Wasm;
  const entry = load.resolve('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(join(dirname(entry), sep));
  await tf.setBackend('wasm');
  await tf.ready();
  registerWasmGradients();
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return {
    name: 'wasm',
    device: simd ? 'simd' : 'plain',
    threads: wasm.getThreadsCount?.() || 1,
    versions: { wasm: wasm.version_wasm, tfjs: tf.version_core },
  };
}
