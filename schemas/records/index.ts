/** What is stored: datasets, runs, predictions. */
export * from './dataset.js';
export * from './live.js';
export * from './run.js';
