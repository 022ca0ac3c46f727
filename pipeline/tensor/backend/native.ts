/**
 * Native TensorFlow: the addon of @tensorflow/tfjs-node-gpu, built by ../install against a current runtime and
 * loaded from the cache. Its package's own entry point is passed by, because that looks for TensorFlow 2.9.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { BackendError } from '../../errors.js';
import { hushPath, installedAddon } from '../install/location.js';
import { registerNativeGradients } from '../native/register.js';
import type { Opened } from './choice.js';
import { load, tf } from './tfjs.js';

/** What the package offers; its own types belong to another TensorFlow.js. */
export interface NativeBinding {
  TF_Version: string;
  isUsingGpuDevice(): boolean;
}

export async function openNative({ threads }: { threads?: number }): Promise<Opened> {
  const addon = installedAddon();
  if (!addon)
    throw new BackendError('not installed', {
      hint: 'stormreel backend install',
      fields: { backend: 'tensorflow' },
    });
  const count = pinThreads(threads);
  const binding = loadAddon(addon);
  const { NodeJSKernelBackend } = load('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend');
  load('@tensorflow/tfjs-node-gpu/dist/register_all_kernels');
  tf.registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu'), 3);
  await tf.setBackend('tensorflow');
  registerNativeGradients();
  return {
    name: 'tensorflow',
    device: binding.isUsingGpuDevice() ? 'gpu' : 'cpu',
    threads: count,
    versions: { tensorflow: binding.TF_Version, tfjs: tf.version_core },
  };
}

/** TensorFlow reads its thread count from the environment when it is loaded; it changes the last bits of sums. */
function pinThreads(threads: number | undefined): number {
  const count = threads ?? (Number(process.env.TF_NUM_INTRAOP_THREADS) || availableParallelism());
  process.env.TF_NUM_INTRAOP_THREADS = String(count);
  process.env.TF_NUM_INTEROP_THREADS ??= '1';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
  return count;
}

function loadAddon(path: string): NativeBinding {
  const util = load('node:util') as Record<string, unknown>;
  // Called by tfjs-node 4.22; Node 22 warns about them, Node 23 has them no more.
  util.isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  util.isArray = Array.isArray;
  const hush = loadHush(path);
  try {
    hush?.hush();
    return createRequire(path)(path) as NativeBinding;
  } catch (cause) {
    const reason = existsSync(path) ? (cause as Error).message : `${path} is missing`;
    throw new BackendError(`cannot load native TensorFlow: ${reason}`, {
      hint: 'stormreel backend install (again), or --backend wasm',
      cause,
      fields: { backend: 'tensorflow', path, reason },
    });
  } finally {
    hush?.restore();
  }
}

/** Keeps TensorFlow's greeting off stderr while it loads; see ../install/build.ts. */
function loadHush(addon: string): { hush(): void; restore(): void } | null {
  const path = hushPath(resolve(addon, '..', '..', '..'));
  return existsSync(path) ? createRequire(path)(path) : null;
}
