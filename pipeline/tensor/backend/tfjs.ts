/**
 * The one instance of TensorFlow.js core that this process uses. Loaded with `require` so that the native addon's
 * package, which is CommonJS, shares the same engine and registries.
 */
import { createRequire } from 'node:module';

export const load = createRequire(import.meta.url);
export const tf = load('@tensorflow/tfjs-core') as typeof import('@tensorflow/tfjs-core');

// Core leaves its gradients unregistered in Node; the union package registers them on this same core.
load('@tensorflow/tfjs');

export type Tensor = import('@tensorflow/tfjs-core').Tensor;
export type DType = 'float32' | 'int32' | 'bool';
/** Numbers or tensors: a number becomes a float32 scalar. */
export type TensorLike = Tensor | number;
