/** Objects on S3 or on a server that speaks the same. */
export { isS3, parseS3, type S3Place, s3Address } from './address.js';
export {
  copyObject,
  downloadObject,
  headObject,
  listObjects,
  openObject,
  type ReadOptions,
  readObject,
  removeObject,
  type S3Entry,
  type S3Head,
  writeObject,
} from './objects.js';
