/** Slots that are filled together: those of one group read the same source files, so each map is decoded once. */
import { frameSize } from '../schemas/arrow/index.js';
import type { DatasetDescription, Slot } from '../schemas/records/index.js';
import { contentId } from './queues/index.js';

/** Most slots in one group, so that there is work for several processes. */
const MOST_SLOTS = 64;
/** Most bytes of decoded frames that one group holds at a time. */
const MOST_BYTES = 128 * 2 ** 20;

/**
 * The groups of a plan, in plan order: consecutive parts of the slots with the same list of sources, each within the
 * limits (a slot that alone is over them is a group of its own). The same plan gives the same groups everywhere.
 */
export function groupSlots(slots: readonly Slot[], description: DatasetDescription): Slot[][] {
  const bytes = slotBytes(description);
  const open = new Map<string, { slots: Slot[]; bytes: number }>();
  const groups: Slot[][] = [];
  for (const slot of slots) {
    const key = sourceKey(slot);
    const group = open.get(key);
    const size = bytes(slot);
    if (group && group.slots.length < MOST_SLOTS && group.bytes + size <= MOST_BYTES) {
      group.slots.push(slot);
      group.bytes += size;
      continue;
    }
    const started = { slots: [slot], bytes: size };
    open.set(key, started);
    groups.push(started.slots);
  }
  return groups;
}

/** Names a group by what is in it. */
export const groupKey = (group: readonly Slot[]): string => contentId('g', ...group.map(({ slot }) => slot));

const sourceKey = ({ frames }: Slot): string =>
  contentId('s', ...frames.map((frame) => frame.sources.map(({ path, index }) => [path, index])));

function slotBytes(description: DatasetDescription): (slot: Slot) => number {
  const { bytes, maskBytes } = frameBytes(description);
  return ({ frames }) => frames.length * (bytes + maskBytes);
}

function frameBytes(description: DatasetDescription): { bytes: number; maskBytes: number } {
  const { values, maskBytes } = frameSize(description);
  return { bytes: values * { u8: 1, i16: 2, u16: 2, f32: 4 }[description.dtype], maskBytes };
}
