/** Some servers take `If-None-Match` and do not look at it: two writers would both win. They are found out beforehand. */
import { randomUUID } from 'node:crypto';
import { ConfigError } from '../../errors.js';
import {
  listObjects,
  remoteSettings,
  removeObject,
  type S3Place,
  s3Address,
  writeObject,
} from '../../remote/index.js';

const assured = new Map<string, Promise<void>>();

/** ConfigError where a second exclusive write of one object is let through. Asked once a process for each bucket. */
export function assureConditional(root: S3Place): Promise<void> {
  const key = `${remoteSettings().endpoint} ${root.bucket}`;
  const known = assured.get(key) ?? probe(root);
  assured.set(key, known);
  known.catch(() => assured.delete(key));
  return known;
}

const PROBE = '.probe-';
/** A probe that is older is of a process that was killed; nothing else leaves an object behind. */
const STALE_MS = 3_600_000;

export async function sweepProbes(root: S3Place): Promise<void> {
  const { objects } = await listObjects(root, { deep: false });
  for (const { name, mtimeMs } of objects)
    if (name.startsWith(PROBE) && Date.now() - mtimeMs > STALE_MS)
      await removeObject({ ...root, key: [root.key, name].filter(Boolean).join('/') });
}

async function probe(root: S3Place): Promise<void> {
  const place = { ...root, key: [root.key, `${PROBE}${randomUUID()}`].filter(Boolean).join('/') };
  try {
    await writeObject(place, 'first', { ifAbsent: true });
    if (!(await writeObject(place, 'second', { ifAbsent: true }))) return;
  } finally {
    await removeObject(place).catch(() => {});
  }
  throw new ConfigError(
    `cannot keep a dataset in ${s3Address(root)}: the server does not hold to If-None-Match, so two workers could overwrite each other's commits`,
    {
      hint: 'use a server with conditional writes (Amazon S3, and those named in docs/storage.md), or a folder',
      fields: { address: s3Address(root) },
    },
  );
}
