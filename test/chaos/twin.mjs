/**
 * A job delivered twice: fills the first open groups of a dataset, each two times side by side, while the workers do
 * the same. Exit code 3 when that made two different commits.
 *
 *   node test/chaos/twin.mjs DATASET GROUPS
 */

import { openSlots, readDescription, readPlan } from '../../dist/pipeline/shards/index.js';
import { groupKey, groupSlots } from '../../dist/workers/groups.js';
import { fillSlots } from '../../dist/workers/processors/slots.js';

const [dataset, count] = process.argv.slice(2);
const { revision, slots } = await readPlan(dataset);
const open = new Set((await openSlots(dataset)).map(({ slot }) => slot));
const groups = groupSlots(slots, await readDescription(dataset))
  .map((members, group) => ({ members, group }))
  .filter(({ members }) => members.some(({ slot }) => open.has(slot)))
  .slice(0, Number(count));
const context = { attempt: 1, progress: async () => {} };
const runs = groups.flatMap(({ members, group }) => {
  const job = { dataset, revision, group, key: groupKey(members), onBadFrame: 'stop' };
  return [fillSlots(job, context), fillSlots(job, context)];
});
const settled = await Promise.allSettled(runs);
const clash = settled.find(({ reason }) => reason?.tag === 'SourceChangedError');
if (clash) {
  console.error(clash.reason.message);
  process.exit(3);
}
