/** Checks that what was committed is what lies on disk, and makes room for what must be decoded again. */
import { createHash } from 'node:crypto';
import { RecordBatchReader } from 'apache-arrow';
import { frameSize } from '../../schemas/arrow/index.js';
import type { Commit, DatasetDescription } from '../../schemas/records/index.js';
import { CorruptShardError, isStormreelError } from '../errors.js';
import type { OnProgress } from '../progress.js';
import { RemoteFault } from '../remote/index.js';
import { readDescription } from './description.js';
import { frameCrc } from './encode.js';
import { committedHash, readFinished } from './finalise.js';
import { layout } from './layout.js';
import { readManifest } from './manifest.js';
import { pixels } from './pixels.js';
import { readPlan } from './plan.js';
import { openSealedArrow } from './seal.js';
import { readCommit } from './slot.js';
import { storageAt } from './storage/index.js';

export interface Fault {
  /** Name of a slot, or of a file of the dataset. */
  name: string;
  problem: string;
  /** True where the slot can be filled again from its sources, or the manifest written anew. */
  repairable: boolean;
}

export interface Verified {
  slots: number;
  frames: number;
  bad: number;
  faults: Fault[];
}

/**
 * Reads every file of the dataset once: description, plan, commits, shards (presence, sha256, number of frames, crc of
 * each), the manifest against the commits, label files. Changes nothing; any changed or missing byte is a fault.
 */
export async function verifyDataset(
  dir: string,
  { onProgress }: { onProgress?: OnProgress } = {},
): Promise<Verified> {
  const verified: Verified = { slots: 0, frames: 0, bad: 0, faults: [] };
  const described = await findFault(() => readDescription(dir));
  const planned = await findFault(() => readPlan(dir));
  for (const [name, { problem }] of [
    [layout.description, described],
    [layout.plan, planned],
  ] as const)
    if (problem) verified.faults.push({ name, problem, repairable: false });
  if (!described.value || !planned.value) return verified;
  const { slots } = planned.value;
  verified.slots = slots.length;
  for (const [i, { slot }] of slots.entries()) {
    const problem = await checkSlot(dir, slot, described.value, verified);
    if (problem) verified.faults.push({ name: slot, problem, repairable: true });
    onProgress?.({ stage: 'verify', done: i + 1, total: slots.length, unit: 'slots' });
  }
  const problem = await checkManifest(dir, verified);
  if (problem) verified.faults.push({ name: MANIFEST, problem, repairable: true });
  verified.faults.push(...(await checkLabels(dir)));
  return verified;
}

const MANIFEST = 'manifest';

/**
 * Moves commits and shards that fail `verifyDataset` into set-aside/, so that their slots are open. Filling those and
 * finalising is the queue's work (workers/repair.ts).
 */
export async function setAsideFaults(
  dir: string,
  options: { onProgress?: OnProgress } = {},
): Promise<Verified> {
  const verified = await verifyDataset(dir, options);
  const storage = storageAt(dir);
  const setAside = (name: string) => storage.move(name, layout.aside(name));
  for (const { name, repairable } of verified.faults) {
    if (!repairable || name === MANIFEST) continue;
    const commit = await readCommit(dir, name).catch(() => null);
    await setAside(layout.commit(name));
    if (commit) await setAside(commit.shard);
  }
  return verified;
}

/** What `work` gives, or what the typed error that it throws says. */
async function findFault<T>(work: () => Promise<T>): Promise<{ value: T | null; problem: string | null }> {
  try {
    return { value: await work(), problem: null };
  } catch (error) {
    if (isStormreelError(error) && error.tag === 'CorruptShardError')
      return { value: null, problem: error.message };
    throw error;
  }
}

/** With open slots a manifest of an earlier state is in order; what it is then compared with is not there yet. */
async function checkManifest(dir: string, { faults }: Verified): Promise<string | null> {
  try {
    const { manifest, hash } = await readFinished(dir);
    await readManifest(dir, manifest);
    if (faults.length > 0 || hash === (await committedHash(dir))) return null;
    return 'it is of another state than the plan and the commits';
  } catch (error) {
    if (isStormreelError(error)) return error.message;
    throw error;
  }
}

async function checkLabels(dir: string): Promise<Fault[]> {
  const storage = storageAt(dir);
  const faults: Fault[] = [];
  for (const file of (await storage.list(layout.labels)).filter((name) => name.endsWith('.arrow')).sort()) {
    const name = `${layout.labels}/${file}`;
    try {
      openSealedArrow(await storage.read(name));
    } catch (error) {
      if (error instanceof RemoteFault) throw error;
      faults.push({ name, problem: `it cannot be read: ${(error as Error).message}`, repairable: false });
    }
  }
  return faults;
}

async function checkSlot(
  dir: string,
  slot: string,
  description: DatasetDescription,
  verified: Verified,
): Promise<string | null> {
  let commit: Commit | null;
  try {
    commit = await readCommit(dir, slot);
  } catch (error) {
    if (error instanceof CorruptShardError) return error.message;
    throw error;
  }
  if (!commit) return 'not committed';
  verified.frames += commit.frames.length;
  verified.bad += commit.frames.filter(({ status }) => status === 'bad').length;
  let bytes: Uint8Array;
  try {
    bytes = await storageAt(dir).read(commit.shard);
  } catch (error) {
    if (isStormreelError(error) || error instanceof RemoteFault) throw error; // says nothing of the shard
    return `shard ${commit.shard} cannot be read: ${(error as Error).message}`;
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== commit.sha256)
    return `shard ${commit.shard} has sha256 ${sha256.slice(0, 8)}..., its commit says ${commit.sha256.slice(0, 8)}...`;
  return checkRows(bytes, commit, description);
}

function checkRows(bytes: Uint8Array, commit: Commit, description: DatasetDescription): string | null {
  const { values: size, maskBytes } = frameSize(description);
  let rows = 0;
  for (const batch of RecordBatchReader.from(bytes)) {
    const { values, masks, crc } = pixels(batch);
    for (let i = 0; i < batch.numRows; i++, rows++) {
      const mask = masks?.subarray(i * maskBytes, (i + 1) * maskBytes) ?? null;
      if (frameCrc(values.subarray(i * size, (i + 1) * size), mask) !== crc[i])
        return `frame ${rows} fails its crc`;
    }
  }
  return rows === commit.rows ? null : `shard has ${rows} frames, its commit says ${commit.rows}`;
}
