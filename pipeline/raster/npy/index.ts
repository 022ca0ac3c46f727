export { decodeNpy, readNpyHeader } from './read.js';
