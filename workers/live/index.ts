/** Live maps: labelled as they come, with everything on disk. */
export { readLines } from './journal.js';
export { type WatchMapsOptions, type WatchSummary, watchMaps } from './watchMaps.js';
