/** Tensors, their operations and gradients; the only folder that knows TensorFlow.js. */

export { type AdamOptions, type AdamState, adamW, type Optimizer } from './adam/adamw.js';
export {
  BACKEND_NAMES,
  type BackendInfo,
  type BackendName,
  type BackendOptions,
  describeBackend,
  openBackend,
} from './backend/choice.js';
export { measureBackend, type Speed } from './backend/measure.js';
export type { DType, Tensor, TensorLike } from './backend/tfjs.js';
export { batchNorm, batchNormTraining, type Normalisation, type TrainingNormalisation } from './batchnorm.js';
export { checkpoint } from './gradients/checkpoint.js';
export { type Differentiated, peakTensorBytes, valueAndGradients, withoutTape } from './gradients/tape.js';
export { type GruSteps, gruSteps } from './gruSteps.js';
export {
  type Installed,
  type InstallOptions,
  installedAddon,
  installNative,
  type Variant,
} from './install/index.js';
export * from './operations.js';
export {
  clone,
  dispose,
  fillTree,
  keep,
  type Leaf,
  leaves,
  mapTree,
  type ParameterTree,
  readTree,
  type StoredTensor,
  tensorBytes,
  tensorCount,
  tidy,
  treeFrom,
  writeTree,
} from './tree.js';
