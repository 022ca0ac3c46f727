/** Weights of Keras files. */
export { type Imported, type ImportOptions, type ImportReport, importKeras } from './importKeras.js';
export { BACKBONES, type KerasBackbone, type KerasLeaf, layoutOf } from './layout.js';
