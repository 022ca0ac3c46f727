/**
 * A dataset under a prefix of a bucket. An object appears whole or not at all; one that may be written once is put with
 * `If-None-Match: *`, and a server that does not hold to that is refused.
 */
import {
  copyObject,
  headObject,
  inParallel,
  listObjects,
  parseS3,
  readObject,
  removeObject,
  type S3Place,
  s3Address,
  writeObject,
} from '../../remote/index.js';
import { cachedObject, forgetObject } from './cache.js';
import { assureConditional, sweepProbes } from './conditional.js';
import type { Storage } from './storage.js';

export function s3Storage(address: string): Storage {
  const root = parseS3(address);
  const at = (name: string): S3Place => ({
    bucket: root.bucket,
    key: [root.key, name].filter(Boolean).join('/'),
  });
  return {
    address: s3Address(root),
    locate: (name) => s3Address(at(name)),
    prepare: () => assureConditional(root),
    read: (name) => readObject(at(name)),
    open: (name) => cachedObject(at(name)),
    size: async (name) => (await headObject(at(name)))?.size ?? null,
    list: async (folder, { deep = false } = {}) => {
      const { objects, folders } = await listObjects(at(folder), { deep });
      return [...objects.map(({ name }) => name), ...folders];
    },
    createExclusive: async (name, bytes) => {
      await assureConditional(root);
      return writeObject(at(name), bytes, { ifAbsent: true });
    },
    replace: async (name, bytes) => {
      await writeObject(
        at(name),
        Array.isArray(bytes) ? Buffer.concat(bytes) : (bytes as Uint8Array | string),
      );
    },
    move: async (from, to) => {
      if (!(await headObject(at(from)))) return;
      await copyObject(at(from), at(to));
      await removeObject(at(from));
    },
    remove: async (name) => {
      const { objects } = await listObjects(at(name));
      await inParallel([name, ...objects.map((object) => `${name}/${object.name}`)], (one) =>
        removeObject(at(one)),
      );
    },
    sweep: () => sweepProbes(root),
    forget: (name) => forgetObject(at(name)),
  };
}
