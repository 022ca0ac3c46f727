/** Bytes that lie on other machines: S3 objects and files over HTTP. */
export {
  etagHash,
  isRemote,
  openRemote,
  type RemoteFile,
  type RemoteIdentity,
  type RemoteOptions,
  sameFile,
} from './file.js';
export { HTTP_LIMITS, type HttpLimits } from './limits.js';
export { inParallel } from './parallel.js';
export { RemoteFault, type RetryOptions, retrying } from './retry.js';
export * from './s3/index.js';
export { type RemoteSettings, remoteSettings } from './settings.js';
