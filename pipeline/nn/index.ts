/** Layers: each is `Config`, `init(config, random)` and a pure `apply(parameters, inputs, mode)`. */
export * as batchNorm from './batchNorm.js';
export { isMoving } from './batchNorm.js';
export * as conv2d from './conv2d.js';
export * as dropout from './dropout.js';
export * as elementAttention from './elementAttention.js';
export * as gru from './gru.js';
export { glorotUniform, heUniform, orthogonal } from './initialise.js';
export * as linear from './linear.js';
export * as lstm from './lstm.js';
export { EVALUATION, type Mode } from './mode.js';
export { normals } from './noise.js';
export { resizeMaps } from './resizeMaps.js';
export * as scaleAttention from './scaleAttention.js';
export { segment } from './segment.js';
export * as squeezeExcite from './squeezeExcite.js';
export * as tcn from './tcn.js';
export * as tripleAttention from './tripleAttention.js';
