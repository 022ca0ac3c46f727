/** Plans few large shards in place of many small ones, such as live ingest makes: one a settled file. */
import type { Slot } from '../../schemas/records/index.js';
import { ConfigError } from '../errors.js';
import { openSlots } from './finalise.js';
import { layout } from './layout.js';
import { readPlan, slotName } from './plan.js';
import { sealLines } from './seal.js';
import { storageAt } from './storage/index.js';

export interface CompactionPlan {
  /** Slots in force before and after. */
  before: number;
  after: number;
}

/**
 * Adds a plan revision whose slots hold the frames of neighbouring small ones, at most `shardFrames` each. Slots of at
 * least half that size stay. Filling the new slots takes the pixels from the old shards. ConfigError: slots are open.
 */
export async function planCompaction(
  dir: string,
  { shardFrames = 64 }: { shardFrames?: number } = {},
): Promise<CompactionPlan> {
  for (;;) {
    const open = await openSlots(dir);
    refuseUnfinished(dir, open);
    const { revision, slots } = await readPlan(dir);
    if (open.length > 0) return outcomeOf(slots, open); // planned before, and not filled yet
    const merged = merge(slots, revision + 1, shardFrames);
    if (merged.length === 0) return { before: slots.length, after: slots.length };
    if (await storageAt(dir).createExclusive(layout.revision(revision + 1), sealLines(merged)))
      return outcomeOf((await readPlan(dir)).slots, merged);
  }
}

function refuseUnfinished(dir: string, open: readonly Slot[]): void {
  const unfinished = open.filter(({ supersedes }) => !supersedes).length;
  if (unfinished === 0) return;
  throw new ConfigError(`${unfinished} slots of ${dir} are open: its last ingest did not finish`, {
    hint: 'run the same stormreel ingest again, then compact',
    fields: { open: unfinished },
  });
}

function outcomeOf(slots: readonly Slot[], merged: readonly Slot[]): CompactionPlan {
  const gone = merged.reduce((n, { supersedes = [] }) => n + supersedes.length, 0);
  return { before: slots.length - merged.length + gone, after: slots.length };
}

function merge(slots: readonly Slot[], revision: number, shardFrames: number): Slot[] {
  const merged: Slot[] = [];
  for (const series of new Set(slots.map((slot) => slot.series))) {
    const small = slots.filter((slot) => slot.series === series && slot.frames.length < shardFrames / 2);
    small.sort((a, b) => a.frames[0].time - b.frames[0].time);
    for (const group of groups(small, shardFrames)) {
      if (group.length < 2) continue;
      const frames = group.flatMap((slot) => slot.frames).sort((a, b) => a.time - b.time);
      const supersedes = group.map(({ slot }) => slot);
      merged.push({ slot: slotName(revision, series, merged.length), series, frames, supersedes });
    }
  }
  return merged;
}

/** Slots in order, as many together as fit. */
function groups(slots: readonly Slot[], shardFrames: number): Slot[][] {
  const found: Slot[][] = [];
  let held = Number.POSITIVE_INFINITY;
  for (const slot of slots) {
    if (held + slot.frames.length > shardFrames) {
      found.push([]);
      held = 0;
    }
    found[found.length - 1].push(slot);
    held += slot.frames.length;
  }
  return found;
}
