/** Arrow schemas of stored files. */
export { frameSize, STATISTICS, STORED, type StoredArray, shardSchema } from './shard.js';
