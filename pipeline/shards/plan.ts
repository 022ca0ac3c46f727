/** The plan: which frames go into which slot, in which order. Revisions are only ever added. */
import { type DatasetDescription, type PlannedFrame, Slot } from '../../schemas/records/index.js';
import { CorruptShardError } from '../errors.js';
import { settleDescription } from './description.js';
import { layout } from './layout.js';
import { openSealedLines, sealLines } from './seal.js';
import { type Storage, storageAt } from './storage/index.js';

export interface PlanOptions {
  /** Most frames in one slot. Default 64. */
  shardFrames?: number;
}

export interface PlanOutcome {
  /** Revision that was added; null when the plan holds all of it already. */
  revision: number | null;
  added: number;
  changed: number;
}

/**
 * Makes a dataset of these frames, or adds to it those that are new or whose source changed. The same frames again
 * change nothing. Frames whose sources are gone stay. Two planners at once: one wins each revision, the other plans again.
 */
export async function createDataset(
  dir: string,
  description: DatasetDescription,
  frames: ReadonlyMap<string, readonly PlannedFrame[]>,
  { shardFrames = 64 }: PlanOptions = {},
): Promise<PlanOutcome> {
  await settleDescription(dir, description);
  for (;;) {
    const { revision, slots } = await readPlan(dir);
    const next = nextSlots(slots, frames, revision + 1, shardFrames);
    if (next.slots.length === 0) return { revision: null, added: 0, changed: 0 };
    if (await writeRevision(dir, revision + 1, next.slots))
      return { revision: revision + 1, added: next.added, changed: next.changed };
  }
}

/**
 * Adds frames that no slot holds yet as revision `revision`, without reading the plan: for a caller that knows it. Null
 * when another planner has taken that revision; the caller's knowledge is then out of date.
 */
export async function appendRevision(
  dir: string,
  revision: number,
  frames: ReadonlyMap<string, readonly PlannedFrame[]>,
  { shardFrames = 64 }: PlanOptions = {},
): Promise<Slot[] | null> {
  const { slots } = nextSlots([], frames, revision, shardFrames);
  return (await writeRevision(dir, revision, slots)) ? slots : null;
}

/** The slots of one revision alone. */
export async function readRevision(dir: string, revision: number): Promise<Slot[]> {
  const storage = storageAt(dir);
  const file = layout.revision(revision);
  return parseRevision((await storage.read(file)).toString('utf8'), storage.locate(file));
}

const writeRevision = (dir: string, revision: number, slots: readonly Slot[]): Promise<boolean> =>
  storageAt(dir).createExclusive(layout.revision(revision), sealLines(slots));

export interface Plan {
  /** Last revision; 0: none. */
  revision: number;
  /** Slots in force, in plan order. */
  slots: Slot[];
  /** Slots whose place others took, by name. */
  superseded: ReadonlyMap<string, Slot>;
}

/** CorruptShardError where a revision is missing or damaged. */
export async function readPlan(dir: string): Promise<Plan> {
  const storage = storageAt(dir);
  const names = (await storage.list(layout.plan)).filter((n) => /^\d+\.jsonl$/.test(n)).sort();
  refuseMissing(names, storage);
  const all: Slot[] = [];
  for (const name of names) {
    const file = `${layout.plan}/${name}`;
    all.push(...parseRevision((await storage.read(file)).toString('utf8'), storage.locate(file)));
  }
  const gone = new Set(all.flatMap(({ supersedes }) => supersedes ?? []));
  return {
    revision: names.length,
    slots: all.filter(({ slot }) => !gone.has(slot)),
    superseded: new Map(all.filter(({ slot }) => gone.has(slot)).map((slot) => [slot.slot, slot])),
  };
}

/** Revisions count from 1 without a hole: each is created after all before it were read. */
function refuseMissing(names: readonly string[], storage: Storage): void {
  const missing = names.findIndex((name, i) => `${layout.plan}/${name}` !== layout.revision(i + 1));
  if (missing >= 0) throw damaged(storage.locate(layout.revision(missing + 1)), 'it is not there');
}

function parseRevision(text: string, where: string): Slot[] {
  try {
    return openSealedLines(text).map((line) => Slot.parse(line));
  } catch (cause) {
    throw damaged(where, (cause as Error).message, cause);
  }
}

const damaged = (where: string, found: string, cause?: unknown): CorruptShardError =>
  new CorruptShardError(`cannot read the plan in ${where}: ${found}`, {
    hint: 'restore the file from a copy, or ingest into a new folder',
    cause,
    fields: { file: where },
  });

/** Name of a slot: unique in the dataset, since a revision is created once. */
export const slotName = (revision: number, series: string, number: number): string =>
  `r${String(revision).padStart(4, '0')}-${series}-${String(number).padStart(6, '0')}`;

function nextSlots(
  slots: readonly Slot[],
  wanted: ReadonlyMap<string, readonly PlannedFrame[]>,
  revision: number,
  shardFrames: number,
): { slots: Slot[]; added: number; changed: number } {
  const next: Slot[] = [];
  const name = (series: string) => slotName(revision, series, next.length);
  let added = 0;
  let changed = 0;
  const ofSeries = groupBySeries(slots);
  for (const [series, frames] of wanted) {
    const planned = ofSeries.get(series) ?? [];
    const now = new Map(frames.map((frame) => [frame.time, frame]));
    for (const slot of planned) {
      const replaced = slot.frames.map((frame) => now.get(frame.time) ?? frame);
      const differ = replaced.filter((frame, i) => !sameSources(frame, slot.frames[i])).length;
      for (const frame of slot.frames) now.delete(frame.time);
      if (differ === 0) continue;
      changed += differ;
      next.push({ slot: name(series), series, frames: replaced, supersedes: [slot.slot] });
    }
    const late = [...now.values()].sort((a, b) => a.time - b.time);
    added += late.length;
    for (let i = 0; i < late.length; i += shardFrames)
      next.push({ slot: name(series), series, frames: late.slice(i, i + shardFrames) });
  }
  return { slots: next, added, changed };
}

function groupBySeries(slots: readonly Slot[]): Map<string, Slot[]> {
  const groups = new Map<string, Slot[]>();
  for (const slot of slots) {
    const group = groups.get(slot.series);
    if (group) group.push(slot);
    else groups.set(slot.series, [slot]);
  }
  return groups;
}

/** True when the same files, unchanged, give the same bands of both frames. */
export const sameSources = (a: PlannedFrame, b: PlannedFrame): boolean => fingerprint(a) === fingerprint(b);

const fingerprint = ({ sources }: PlannedFrame): string =>
  JSON.stringify(
    sources.map((s) => [
      s.path,
      s.size,
      s.mtimeMs,
      s.etag ?? null,
      s.index,
      s.bands.map((b) => [b.from, b.to]),
    ]),
  );
