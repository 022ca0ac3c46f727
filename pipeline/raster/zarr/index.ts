/** Zarr stores, version 2 and 3, in a folder: CF fields out of chunks, with what tells whether the chunks have changed. */
export { isZarr, type StoreIdentity, storeHash, storeIdentity } from './identity.js';
export { decodeZarr, readZarrHeader } from './read.js';
