/** Storage of datasets: what it does, and where an address leads. */
export { datasetAddress, queueFolder, storageAt } from './address.js';
export { isMissing, type Storage } from './storage.js';
