/** What is stored: datasets, runs, predictions. */
export * from './dataset.js';
export * from './run.js';
