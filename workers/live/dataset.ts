/** The dataset of a watch: its plan in memory, grown by revisions, and the frames of its commits. */
import { ConfigError } from '../../pipeline/errors.js';
import { describeDataset, type ScannedMap } from '../../pipeline/raster/index.js';
import {
  appendRevision,
  createDataset,
  type FrameStore,
  openCommits,
  readCommit,
  readDescription,
  readPlan,
  readRevision,
} from '../../pipeline/shards/index.js';
import type { IngestConfig } from '../../schemas/config/index.js';
import type { Commit, DatasetDescription, PlannedFrame, Slot } from '../../schemas/records/index.js';
import { BASE, type KnownFrame, type KnownFrames, knownFrames, OPEN } from './known.js';

export interface LiveDataset {
  readonly address: string;
  readonly description: DatasetDescription;
  readonly known: KnownFrames;
  /** Source files that the plan holds as they are: path -> size and time of change. */
  readonly planned: Map<string, { size: number; mtimeMs: number }>;
  /** Last revision of the plan that is known. */
  revision: number;
}

type Frames = ReadonlyMap<string, readonly PlannedFrame[]>;

/** Frames of revisions up to `base` were there before the watch. */
export async function loadDataset(address: string, base: number): Promise<LiveDataset> {
  const description = await readDescription(address);
  const dataset: LiveDataset = {
    ...{ address, description, revision: 0 },
    known: knownFrames(description.stepMs ?? 1),
    planned: new Map(),
  };
  const before = new Set<string>();
  for (let revision = 1; revision <= base; revision++)
    for (const slot of await readRevision(address, revision))
      for (const { time } of slot.frames) before.add(`${slot.series}\0${time}`);
  await refresh(dataset, (series, time) => before.has(`${series}\0${time}`));
  return dataset;
}

/** Reads the plan: somebody else may have added to it. */
export async function refresh(
  dataset: LiveDataset,
  isBase: (series: string, time: number) => boolean = () => false,
): Promise<void> {
  const { revision, slots } = await readPlan(dataset.address);
  dataset.revision = revision;
  for (const slot of slots) takeSlot(dataset, slot, isBase);
}

/** Notes where the frames of a slot lie; a frame that is known keeps its state. */
function takeSlot(
  { known, planned }: LiveDataset,
  { slot, series, frames }: Slot,
  isBase: (series: string, time: number) => boolean = () => false,
): KnownFrame[] {
  return frames.map(({ time, sources }) => {
    const [{ path }] = sources;
    for (const { path: own, size, mtimeMs } of sources) planned.set(own, { size, mtimeMs });
    const before = known.find(series, time);
    if (before) return Object.assign(before, { slot, path, ok: before.slot === slot ? before.ok : null });
    const state = isBase(series, time) ? BASE : OPEN;
    const frame: KnownFrame = { series, time, slot, path, state, ok: null, on: 0, event: 0 };
    known.add(frame);
    return frame;
  });
}

/** Makes the dataset that the first maps describe, without a frame. False while the step between maps is unknown. */
export async function makeDataset(
  address: string,
  maps: readonly ScannedMap[],
  config: IngestConfig,
  { stepMs, fits }: { stepMs: number | null; fits(description: DatasetDescription): void },
): Promise<boolean> {
  const whole = wholeMaps(maps);
  const known = stepMs !== null || config.step !== undefined;
  if (!known && !whole.some(({ series }, i) => series === whole[i - 1]?.series)) return false;
  const { description } = describeDataset({ maps: whole }, { ...config, onBadFrame: 'skip' }, { stepMs });
  fits(description);
  await createDataset(address, description, new Map());
  return true;
}

/** One map a time, in (series, time) order; bands that come in files of their own are brought together. */
function wholeMaps(maps: readonly ScannedMap[]): ScannedMap[] {
  const found = new Map<string, ScannedMap>();
  for (const map of maps) {
    const key = `${map.series}\0${map.time}`;
    const before = found.get(key);
    const [{ band }] = map.sources;
    if (!before) found.set(key, { ...map, sources: [...map.sources] });
    else if (band !== null && before.sources.every((source) => source.band !== band))
      before.sources.push(...map.sources);
  }
  return [...found.values()].sort((a, b) =>
    a.series < b.series ? -1 : a.series > b.series ? 1 : a.time - b.time,
  );
}

export interface Planned {
  revision: number;
  slots: Slot[];
  frames: KnownFrame[];
}

/** Adds frames that are not known; those that another planner added meanwhile are left out. Null: none is left. */
export async function planFresh(
  dataset: LiveDataset,
  fresh: Frames,
  shardFrames: number,
): Promise<Planned | null> {
  for (;;) {
    const left = new Map(
      [...fresh]
        .map(
          ([series, frames]) =>
            [series, frames.filter(({ time }) => !dataset.known.find(series, time))] as const,
        )
        .filter(([, frames]) => frames.length > 0),
    );
    if (left.size === 0) return null;
    const revision = dataset.revision + 1;
    const slots = await appendRevision(dataset.address, revision, left, { shardFrames });
    if (!slots) {
      await refresh(dataset);
      continue;
    }
    dataset.revision = revision;
    return { revision, slots, frames: slots.flatMap((slot) => takeSlot(dataset, slot)) };
  }
}

/** Replaces the slots of frames whose source changed. Null: the plan has them as they are. */
export async function planChanged(dataset: LiveDataset, changed: Frames): Promise<Planned | null> {
  const { address, description } = dataset;
  const { revision } = await createDataset(address, description, changed);
  if (revision === null) return null;
  if (revision > dataset.revision + 1) await refresh(dataset);
  dataset.revision = revision;
  const slots = await readRevision(address, revision);
  return { revision, slots, frames: slots.flatMap((slot) => takeSlot(dataset, slot)) };
}

/** Commits of slots, each read once. Slots without one are left out. */
export async function commitsOf(address: string, slots: Iterable<string>): Promise<Map<string, Commit>> {
  const found = new Map<string, Commit>();
  for (const slot of new Set(slots)) {
    const commit = slot ? await readCommit(address, slot) : null;
    if (commit) found.set(slot, commit);
  }
  return found;
}

/** Reads frames of these commits by series and time. */
export async function readFrames(
  address: string,
  commits: readonly Commit[],
  frames: readonly { series: string; time: number }[],
  out: Parameters<FrameStore['read']>[1],
): Promise<void> {
  const store = await openCommits(address, commits);
  try {
    const { index } = store;
    const place = new Map(
      Array.from(index.time, (time, i) => [`${index.seriesNames[index.series[i]]}\0${time}`, i]),
    );
    const wanted = frames.map(({ series, time }) => {
      const at = place.get(`${series}\0${time}`);
      if (at === undefined)
        throw new Error(`no commit holds the frame of "${series}" at ${new Date(time).toISOString()}`);
      return at;
    });
    await store.read(wanted, out);
  } finally {
    await store.close();
  }
}

/** ConfigError: the folder of the dataset was emptied under the record. */
export function refuseLostDataset(there: boolean, hasRecord: boolean, address: string, folder: string): void {
  if (there || !hasRecord) return;
  throw new ConfigError(
    `the live record in ${folder} is of a dataset in ${address} that is no longer there`,
    {
      hint: 'begin a new record with --live FOLDER',
      fields: { folder, dataset: address },
    },
  );
}

/** Frames of a plan to be changed, and the slots that hold them now. */
export function slotsOf(
  { known }: LiveDataset,
  changed: ReadonlyMap<string, readonly PlannedFrame[]>,
): Map<KnownFrame, string> {
  const slots = new Map<KnownFrame, string>();
  for (const [series, frames] of changed)
    for (const { time } of frames) {
      const frame = known.find(series, time);
      if (frame) slots.set(frame, frame.slot);
    }
  return slots;
}

/** `r0012-series-000003` -> 12. */
export const revisionOf = (slot: string): number => Number.parseInt(slot.slice(1), 10);
