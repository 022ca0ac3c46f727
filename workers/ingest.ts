/**
 * From sources to a finished dataset: scan, describe, plan, fill the slots through the queue, finalise.
 *
 *   const { hash } = await ingest('dataset', IngestConfig.parse({ sources: ['maps'] }), { log: console.error });
 */

import type { OnProgress } from '../pipeline/progress.js';
import { describeDataset, type Scan, scanSources } from '../pipeline/raster/index.js';
import { RemoteFault } from '../pipeline/remote/index.js';
import { createDataset, type Finished, readDescription } from '../pipeline/shards/index.js';
import type { IngestConfig } from '../schemas/config/index.js';
import type { PlannedFrame } from '../schemas/records/index.js';
import { fillDataset } from './fill.js';

export interface IngestOptions {
  /** Redis URL; default: a queue inside this process. */
  queue?: string;
  /** Decoding processes; default: one a core. */
  workers?: number;
  /** Folder names that are classes of labels, not series. */
  classFolders?: readonly string[];
  onProgress?: OnProgress;
  signal?: AbortSignal;
  log?: (line: string) => void;
}

export interface Ingested extends Finished {
  /** The frames of the sources as they are now, a list a series. */
  planned: Map<string, PlannedFrame[]>;
  /** Files that are no maps, or maps of another grid or other bands, that were left out: tag and reason. */
  rejected: Scan['rejected'];
}

/** Typed errors of the sources, of the plan and of the queue; what is committed stays. The same call again goes on. */
export async function ingest(
  dir: string,
  config: IngestConfig,
  { queue, workers, classFolders, onProgress, signal, log = () => {} }: IngestOptions = {},
): Promise<Ingested> {
  const scan = await scanSources(config, { classFolders, onProgress, signal });
  const known = await readDescription(dir).catch((error) => {
    if (error instanceof RemoteFault) throw error;
    return null; // what is wrong is told when the dataset is made
  });
  const { description, frames, rejected: misfits } = describeDataset(scan, config, { stepMs: known?.stepMs });
  const rejected = [...scan.rejected, ...misfits];
  tellRejected(rejected, log);
  const { shardFrames, onBadFrame } = config;
  const plan = await createDataset(dir, description, frames, { shardFrames });
  if (plan.revision !== null && plan.revision > 1)
    log(`plan revision ${plan.revision}: ${plan.added} new frames, ${plan.changed} with a changed source`);
  const finished = await fillDataset(dir, { onBadFrame, queue, workers, onProgress, signal });
  return { ...finished, planned: frames, rejected };
}

const MOST_LINES = 20;

/** A file whose header cannot be read has no time, one of another grid no frame: neither has a place in the plan. */
function tellRejected(rejected: Scan['rejected'], log: (line: string) => void): void {
  for (const { path, tag, reason } of rejected.slice(0, MOST_LINES))
    log(`left out: ${path}: ${tag}: ${reason}`);
  if (rejected.length > MOST_LINES) log(`left out: ${rejected.length - MOST_LINES} more`);
}
