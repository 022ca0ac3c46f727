/** Anomaly: how unusual each frame is against calm ones. Unusual is not the same as storm; the page says so. */
export { type Autoencoder, autoencoder } from './autoencoder.js';
export { conformalP, smallestP } from './conformal.js';
export { decorrelationLag, thin } from './decorrelation.js';
export { type FrameFeatures, frameFeatures } from './features.js';
export { gaussianNll } from './likelihood.js';
export { fitPareto, peaksOverThreshold } from './pareto.js';
export { type AnomalyModel, AnomalyRecord } from './record.js';
