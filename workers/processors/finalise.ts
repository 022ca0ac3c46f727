/** Compiles the manifest; the last job of an ingest. */
import { ConfigError } from '../../pipeline/errors.js';
import { type Finished, finalise } from '../../pipeline/shards/index.js';
import type { FinaliseJob } from '../../schemas/jobs/index.js';
import { openWork } from '../openGroups.js';
import { waitingFor } from '../queues/putOff.js';

/** Most jobs that are waited for by name: the last of a plan, since workers take them in order. */
const MOST_JOBS = 5_000;

/** With `onBadFrame` it waits for the jobs of open slots; ConfigError where slots are open and no such job is left. */
export async function finaliseDataset({ dataset, onBadFrame }: FinaliseJob): Promise<Finished> {
  const { jobs } = onBadFrame ? await openWork(dataset, onBadFrame) : { jobs: [] };
  if (jobs.length === 0) return finalise(dataset);
  throw waitingFor(
    new ConfigError(
      `${jobs.length} groups of slots of ${dataset} are open, and the queue holds no job that fills them`,
      {
        hint: 'run the same stormreel ingest again; it goes on where it stopped',
        fields: { dataset, groups: jobs.length },
      },
    ),
    jobs.slice(-MOST_JOBS).map(({ id }) => id),
  );
}
