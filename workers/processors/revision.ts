/** Fills slots of maps that have just come; what the rest of the plan says is not looked at, so a long plan costs nothing. */
import { access } from 'node:fs/promises';
import { BadRasterError, isStormreelError, SourceChangedError } from '../../pipeline/errors.js';
import { decodeFrame } from '../../pipeline/raster/index.js';
import { readDescription, readPlan, readRevision } from '../../pipeline/shards/index.js';
import type { RevisionJob, SlotsProgress } from '../../schemas/jobs/index.js';
import { groupKey, groupSlots } from '../groups.js';
import type { JobContext } from './child.js';
import { fillGroup } from './slots.js';

/** A bad map is committed as bad with its reason: a watch goes on. */
export async function fillRevision(job: RevisionJob, context: JobContext): Promise<SlotsProgress> {
  const { dataset, revision } = job;
  const description = await readDescription(dataset);
  const slots = await readRevision(dataset, revision);
  const groups = groupSlots(slots, description);
  const group = groups[job.group];
  if (!group || groupKey(group) !== job.key)
    throw new SourceChangedError(`revision ${revision} of ${dataset} is not the one this job was made for`, {
      hint: 'start the same stormreel watch again',
      fields: { dataset, revision, group: job.group },
    });
  const replaces = slots.some(({ supersedes = [] }) => supersedes.length > 0);
  const superseded = replaces ? (await readPlan(dataset)).superseded : new Map();
  const work = { dataset, description, superseded, onBadFrame: 'skip' as const, decode: decodeLeft };
  return fillGroup(group, work, context);
}

/** A map that was taken away before it could be read never comes back under the same plan: its frame is bad. */
const decodeLeft: typeof decodeFrame = async (frame, ...rest) => {
  try {
    return await decodeFrame(frame, ...rest);
  } catch (error) {
    if (!isStormreelError(error) || error.tag !== 'SourceChangedError') throw error;
    for (const { path } of frame.sources)
      await access(path).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== 'ENOENT') throw error;
        throw new BadRasterError(`${path} was taken away before it could be read`, {
          hint: 'leave maps where they are until they are labelled',
          cause,
          fields: { path },
        });
      });
    throw error;
  }
};
