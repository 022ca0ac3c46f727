/**
 * Few large shards in place of many small ones; frames, their order and the dataset hash stay.
 *
 *   const { before, after } = await compact('dataset');
 */
import { type CompactionPlan, type Finished, planCompaction } from '../pipeline/shards/index.js';
import { type FillOptions, fillDataset } from './fill.js';

export interface CompactOptions extends Omit<FillOptions, 'onBadFrame'> {
  /** Most frames in one shard. Default 64. */
  shardFrames?: number;
}

export interface Compacted extends CompactionPlan {
  finished: Finished;
}

/** ConfigError: slots are open. The sources are not needed, unless a shard is damaged. Safe to kill and to run again. */
export async function compact(
  dir: string,
  { shardFrames, ...options }: CompactOptions = {},
): Promise<Compacted> {
  const plan = await planCompaction(dir, { shardFrames });
  const finished = await fillDataset(dir, { ...options, onBadFrame: 'skip' });
  return { ...plan, finished };
}
