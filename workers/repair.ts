/**
 * Rebuilds just the damaged shards of a dataset from their sources, through the queue.
 *
 *   const { verified, hash } = await repair('dataset');
 */
import { SourceChangedError } from '../pipeline/errors.js';
import {
  type Finished,
  finalise,
  readFinished,
  setAsideFaults,
  type Verified,
} from '../pipeline/shards/index.js';
import { type FillOptions, fillDataset } from './fill.js';

export type RepairOptions = Omit<FillOptions, 'onBadFrame'>;

export interface Repaired {
  /** What was found, before it was mended. */
  verified: Verified;
  /** The dataset afterwards; null where something is damaged that no source can bring back. */
  finished: Finished | null;
}

/**
 * Sets aside commits and shards that are not as they were written, fills their slots again and writes the manifest
 * anew. SourceChangedError: the frames are now other ones than those of the last manifest. Errors of sources and queue.
 */
export async function repair(dir: string, options: RepairOptions = {}): Promise<Repaired> {
  const before = await readFinished(dir).catch(() => null);
  const verified = await setAsideFaults(dir, options);
  if (verified.faults.length === 0) return { verified, finished: before };
  if (verified.slots === 0) return { verified, finished: null }; // without a plan there is nothing to fill
  // Frames that were bad are bad again; one that has become so shows in the hash.
  await fillDataset(dir, { ...options, onBadFrame: 'skip' });
  const finished = await finalise(dir);
  if (before !== null && before.hash !== finished.hash)
    throw new SourceChangedError(
      `${dir} is whole again, with other frames than before: its hash is ${finished.hash.slice(0, 8)}..., it was ${before.hash.slice(0, 8)}...`,
      {
        hint: 'a source gives other pixels now; what was damaged lies in set-aside/; trained models and predictions belong to the old frames',
        fields: { before: before.hash, after: finished.hash },
      },
    );
  return { verified, finished };
}
