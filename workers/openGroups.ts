/** What of a dataset's plan is left to do, in groups of slots, each with the id of its job. */
import { openSlots, readDescription, readPlan } from '../pipeline/shards/index.js';
import { groupKey, groupSlots } from './groups.js';
import { contentId } from './queues/index.js';

export interface OpenGroups {
  dataset: string;
  revision: number;
  onBadFrame: 'stop' | 'skip';
  /** Groups with an open slot, in plan order; `frames`: of all their slots. */
  jobs: readonly { id: string; frames: number; group: number; key: string }[];
}

export interface Work extends OpenGroups {
  /** Frames of all slots that are committed in groups that are done. */
  done: number;
  total: number;
}

export async function openWork(dataset: string, onBadFrame: 'stop' | 'skip'): Promise<Work> {
  const description = await readDescription(dataset);
  const { revision, slots } = await readPlan(dataset);
  const open = new Set((await openSlots(dataset)).map(({ slot }) => slot));
  const jobs: OpenGroups['jobs'][number][] = [];
  let done = 0;
  let total = 0;
  for (const [group, members] of groupSlots(slots, description).entries()) {
    const frames = members.reduce((n, slot) => n + slot.frames.length, 0);
    total += frames;
    const key = groupKey(members);
    if (members.some(({ slot }) => open.has(slot)))
      jobs.push({ id: contentId('slots', dataset, key, onBadFrame), frames, group, key });
    else done += frames;
  }
  return { dataset, revision, onBadFrame, jobs, done, total };
}
