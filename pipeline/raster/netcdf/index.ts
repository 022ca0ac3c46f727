export { cfTime } from './cftime.js';
export { decodeNetCdf, type NetCdfHeader, readNetCdfHeader } from './fields.js';
