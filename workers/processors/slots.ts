/** Fills the slots of one group: decodes their maps once and commits each slot. */
import { SourceChangedError } from '../../pipeline/errors.js';
import { decodeFrame, type MapCache, mapCache, readAhead } from '../../pipeline/raster/index.js';
import {
  keptFrames,
  readDescription,
  readPlan,
  readSuspects,
  refuseSuspect,
  suspectKey,
  writeSlot,
} from '../../pipeline/shards/index.js';
import type { SlotsJob, SlotsProgress } from '../../schemas/jobs/index.js';
import type { DatasetDescription, Slot } from '../../schemas/records/index.js';
import { groupKey, groupSlots } from '../groups.js';
import type { JobContext } from './child.js';
import { DECODE_BUDGET, type DecodeBudget, watchMaps } from './watchdog.js';

/** Decoded maps that a child keeps across jobs. */
const CACHE_BYTES = 256 * 2 ** 20;
const TELL_EVERY_MS = 250;

interface Plan {
  description: DatasetDescription;
  /** By key: their places move when a later revision replaces slots. */
  groups: Map<string, Slot[]>;
  /** Slots whose place others took, by name. */
  superseded: ReadonlyMap<string, Slot>;
}

let cache: MapCache | null = null;
let known: { name: string; plan: Plan } | null = null;

/**
 * The slots of a group go on side by side, frame by frame, so that a map is still in the cache when the next tile
 * wants it; one after the other where one of their maps is a suspect, so that it is decoded alone. Filling a slot that
 * is committed already does nothing.
 */
export async function fillSlots(
  job: SlotsJob,
  { attempt, progress, signal }: JobContext,
  budget: DecodeBudget = DECODE_BUDGET,
): Promise<SlotsProgress> {
  const { description, groups, superseded } = await planOf(job);
  const group = groups.get(job.key);
  if (!group)
    throw new SourceChangedError(`the plan of ${job.dataset} is not the one this job was made for`, {
      hint: 'run the same stormreel ingest again',
      fields: { dataset: job.dataset, group: job.group },
    });
  const { dataset, onBadFrame } = job;
  const work = { dataset, description, superseded, onBadFrame, decode: decodeFrame, budget };
  return fillGroup(group, work, { attempt, progress, signal });
}

export interface GroupWork {
  dataset: string;
  description: DatasetDescription;
  /** Slots whose place those of the group took, by name. */
  superseded: ReadonlyMap<string, Slot>;
  onBadFrame: 'stop' | 'skip';
  decode: typeof decodeFrame;
  budget?: DecodeBudget;
}

/** All slots of a group side by side; the first error stops the others. */
export async function fillGroup(
  group: readonly Slot[],
  { dataset, description, superseded, onBadFrame, decode, budget = DECODE_BUDGET }: GroupWork,
  { attempt, progress, signal }: JobContext,
): Promise<SlotsProgress> {
  cache ??= mapCache(CACHE_BYTES);
  const ahead = readAhead();
  const options = { cache, signal, ahead };
  const suspects = await readSuspects(dataset);
  const watch = watchMaps(dataset, group, budget);
  const stop = new AbortController();
  let frames = 0;
  let told = 0;
  const fill = async (slot: Slot) => {
    const before = (slot.supersedes ?? []).flatMap((name) => superseded.get(name) ?? []);
    await writeSlot(dataset, description, slot, {
      kept: before.length > 0 ? await keptFrames(dataset, description, slot, before) : undefined,
      decode: async (frame, series, its, own) => {
        if (suspects.size > 0) refuseSuspect(suspects, suspectKey(frame));
        return watch.over(frame, () => decode(frame, series, its, { ...options, ...own }));
      },
      onBadFrame,
      attempt,
      signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
    });
    frames += slot.frames.length;
    if (Date.now() - told < TELL_EVERY_MS) return;
    told = Date.now();
    await progress({ frames });
  };
  try {
    if (suspects.size > 0) for (const slot of group) await fill(slot);
    else await sideBySide(group, fill, () => stop.abort());
  } finally {
    watch.stop();
    ahead.close();
  }
  return { frames };
}

async function sideBySide(
  group: readonly Slot[],
  fill: (slot: Slot) => Promise<void>,
  stop: () => void,
): Promise<void> {
  const all = group.map((slot) =>
    fill(slot).catch((error) => {
      stop();
      throw error;
    }),
  );
  throwFirst(await Promise.allSettled(all));
}

/** The error that stopped the others, not the stops themselves. */
function throwFirst(settled: PromiseSettledResult<void>[]): void {
  const reasons = settled.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (reasons.length === 0) return;
  throw reasons.find((reason) => reason?.name !== 'AbortError') ?? reasons[0];
}

/** A plan is read once a revision, not once a job, and again for a group that it did not hold when it was read. */
async function planOf({ dataset, revision, key }: SlotsJob): Promise<Plan> {
  const name = `${revision} ${dataset}`;
  if (known?.name !== name || !known.plan.groups.has(key)) {
    const description = await readDescription(dataset);
    const { slots, superseded } = await readPlan(dataset);
    const groups = new Map(groupSlots(slots, description).map((group) => [groupKey(group), group]));
    known = { name, plan: { description, groups, superseded } };
  }
  return known.plan;
}
