/** Derived input channels: anomalies, Laplacians, gradients, coordinates, season; fitted on training frames only. */
export { channelCount, channelNames, computeChannels, type FrameBatch } from './compute.js';
export { fitChannels } from './fit.js';
export { seasonFeatures } from './season.js';
export { ChannelStatistics } from './statistics.js';
export { stillNote, stillShare } from './still.js';
