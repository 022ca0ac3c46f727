/** One watch at work: files that have settled become frames, frames become lines of the record. */
import { ConfigError } from '../../pipeline/errors.js';
import type { MapFile } from '../../pipeline/raster/index.js';
import { openSlots, readRevision } from '../../pipeline/shards/index.js';
import { assertFits } from '../../pipeline/training/index.js';
import type { LiveLine } from '../../schemas/records/index.js';
import {
  type Parts,
  type Refused,
  refuseWrongSettings,
  type Scanned,
  scanFiles,
  sortMaps,
} from './arrivals.js';
import { changedContent } from './changed.js';
import {
  commitsOf,
  type LiveDataset,
  loadDataset,
  makeDataset,
  type Planned,
  planChanged,
  planFresh,
  refresh,
  revisionOf,
  slotsOf,
} from './dataset.js';
import type { Filler } from './filler.js';
import { BAD, type KnownFrame, LABELLED, OPEN } from './known.js';
import { labelFrames } from './label.js';
import { type LiveModels, trainedStep } from './models.js';
import { type OpenRecord, openRecord } from './record.js';
import { type Settling, settling } from './settling.js';
import type { WatchMapsOptions } from './watchMaps.js';

export interface Session {
  readonly address: string;
  /** Folder of the record. */
  readonly live: string;
  readonly models: LiveModels;
  readonly settling: Settling;
  /** Null until there is a dataset. */
  readonly dataset: LiveDataset | null;
  readonly record: OpenRecord | null;
  onLine(line: LiveLine): void;
  isDone(file: MapFile): boolean;
  /** Frames that are planned and not labelled. */
  open(): number;
  /** Fills and labels what an earlier process left open. */
  recover(): Promise<void>;
  /** Takes files that have settled; the number of frames labelled, those that were open before included. */
  take(files: readonly MapFile[]): Promise<number>;
  /** Reads the plan again, after a fault. */
  reload(): Promise<void>;
  noticeGaps(options: { all: boolean }): Promise<void>;
  close(): Promise<void>;
}

/** Frames labelled in one go: bounds memory, and how much a kill makes do again. */
const FRAMES_AT_ONCE = 128;

export function makeSession(
  options: WatchMapsOptions,
  live: string,
  models: LiveModels,
  filler: Filler,
  base: number,
  closers: (() => Promise<void> | void)[],
  close: () => Promise<void>,
): Session & { openDataset(): Promise<void> } {
  const { config, signal, log = () => {} } = options;
  const files = settling(options.settleMs ?? 2_000);
  const parts: Parts = new Map();
  const arrivals = new Map<KnownFrame, number>();
  const waiting = new Set<KnownFrame>();
  let dataset: LiveDataset | null = null;
  let record: OpenRecord | null = null;
  let refusedEarly: Refused[] = [];
  let someUnfilled = false;

  const session: Session & { openDataset(): Promise<void> } = {
    address: options.dataset,
    live,
    models,
    settling: files,
    get dataset() {
      return dataset;
    },
    get record() {
      return record;
    },
    onLine: () => {},
    isDone: (file) => {
      const before = dataset?.planned.get(file.path) ?? record?.rejected.get(file.path);
      return before?.size === file.size && before.mtimeMs === file.mtimeMs;
    },
    open: () => waiting.size + Number(someUnfilled),
    async openDataset() {
      dataset = await loadDataset(options.dataset, base);
      const stepMs = dataset.description.stepMs ?? 1;
      record = await openRecord(live, dataset.known, { stepMs, graceMs: options.graceMs ?? stepMs / 2 });
      closers.push(record.close);
      noteOpen();
      await refuse(refusedEarly);
      refusedEarly = [];
    },
    recover: async () => {
      if (!dataset) return;
      await fillLeft(dataset);
      await reopenMended(dataset);
      await label([...waiting]);
    },
    async take(settled) {
      if (settled.length > 0) {
        const scanned = await scanFiles(settled, config, signal);
        if (dataset) await plan(dataset, scanned, settled);
        else await begin(scanned, settled);
      }
      if (dataset && someUnfilled) await fillLeft(dataset);
      return label([...waiting]);
    },
    async reload() {
      if (!dataset) return;
      await refresh(dataset);
      noteOpen();
    },
    async noticeGaps({ all }) {
      if (!dataset || !record) return;
      const { known, description } = dataset;
      const near = (description.stepMs ?? 1) / 2;
      const has = (series: string, time: number) => {
        const [before] = known.before(series, time + near, 1);
        return before !== undefined && Math.abs(before.time - time) <= near;
      };
      await write(record.gaps.overdue(Date.now(), has, { all }));
    },
    close: async () => {
      await close();
    },
  };

  /** On disk first, then told. */
  async function write(lines: readonly LiveLine[]): Promise<void> {
    if (!record || lines.length === 0) return;
    await record.append(lines);
    for (const line of lines) session.onLine(line);
  }

  function noteOpen(frames?: readonly KnownFrame[]): void {
    if (!dataset) return;
    const { known } = dataset;
    for (const frame of frames ?? [...known.series()].flatMap((series) => known.of(series)))
      if (frame.state === OPEN) waiting.add(frame);
  }

  /** The dataset of the first maps. Nothing is kept of them where the step is still unknown. */
  async function begin(scanned: Scanned, settled: readonly MapFile[]): Promise<void> {
    const { maps, refused } = scanned;
    if (maps.length === 0) {
      for (const { file, error } of refused) {
        log(`left out: ${file.path}: ${error.tag}: ${error.message}`);
        files.done(file);
      }
      refusedEarly.push(...refused);
      return;
    }
    const made = await makeDataset(
      options.dataset,
      maps.map(({ map }) => map),
      { ...config, bands: config.bands ?? models.trained.bandNames },
      {
        stepMs: await trainedStep(options.runDir),
        fits: (description) => assertFits(models.trained, { description }),
      },
    );
    if (made) {
      await session.openDataset();
      if (dataset) await plan(dataset, scanned, settled);
    } else if (options.once)
      throw new ConfigError('one map alone does not say how long a step is', {
        hint: 'say it with --step 6h',
        fields: { maps: maps.length },
      });
  }

  async function plan(into: LiveDataset, scanned: Scanned, settled: readonly MapFile[]): Promise<void> {
    const arrived = Date.now();
    const sorted = sortMaps(scanned, into.description, config, into.known, parts);
    refuseWrongSettings(sorted.refused, settled, record?.labels ?? 0);
    const fresh = await planFresh(into, sorted.fresh, config.shardFrames);
    const before = slotsOf(into, sorted.changed);
    const changed = sorted.changed.size > 0 ? await planChanged(into, sorted.changed) : null;
    await refuse(sorted.refused);
    for (const file of settled) files.done(file);
    if (fresh) {
      for (const frame of fresh.frames) arrivals.set(frame, arrived);
      noteOpen(fresh.frames);
      await fill(fresh);
    }
    if (!changed) return;
    await fill(changed);
    await noteChanged(into, before);
  }

  /** A labelled frame keeps its label, which is told where the values are others now; one that was bad gets its chance. */
  async function noteChanged(into: LiveDataset, before: ReadonlyMap<KnownFrame, string>): Promise<void> {
    const { mended, altered } = await changedContent(into.address, before);
    for (const frame of mended) reopen(frame);
    const noticed = Date.now();
    await write(
      altered.map(({ series, time, path }) => ({ kind: 'changed' as const, series, time, path, noticed })),
    );
  }

  function reopen(frame: KnownFrame): void {
    Object.assign(frame, { state: OPEN, ok: null });
    arrivals.set(frame, Date.now());
    waiting.add(frame);
  }

  async function refuse(refused: readonly Refused[]): Promise<void> {
    const noticed = Date.now();
    await write(
      refused.map(({ file: { path, size, mtimeMs }, error: { tag, message } }) => ({
        ...{ kind: 'rejected' as const, path, size, mtimeMs, noticed, tag, reason: message },
      })),
    );
    for (const { file } of refused) record?.rejected.set(file.path, file);
  }

  async function fill({ revision, slots }: Pick<Planned, 'revision' | 'slots'>): Promise<void> {
    if (!dataset) return;
    const { open } = await filler.fill(revision, slots, dataset.description);
    for (const { slot, error } of open) log(`slot ${slot} stays open: ${error.message}`);
    someUnfilled ||= open.length > 0;
  }

  /** Through the queue what has no commit yet: of an earlier process, or what failed for a passing reason. */
  async function fillLeft(into: LiveDataset): Promise<void> {
    someUnfilled = false;
    const revisions = new Set((await openSlots(into.address)).map(({ slot }) => revisionOf(slot)));
    for (const revision of revisions)
      await fill({ revision, slots: await readRevision(into.address, revision) });
  }

  /** Frames whose bad source was mended just before an earlier process ended. */
  async function reopenMended({ address, known }: LiveDataset): Promise<void> {
    const bad = [...known.series()].flatMap((series) =>
      known.of(series).filter(({ state }) => state === BAD),
    );
    const { mended } = await changedContent(address, new Map(bad.map((frame) => [frame, frame.slot])));
    for (const frame of mended) reopen(frame);
  }

  /** Labels those of the frames that are committed; how many. */
  async function label(frames: readonly KnownFrame[]): Promise<number> {
    if (!dataset || !record || frames.length === 0) return 0;
    const commits = await commitsOf(
      dataset.address,
      frames.map(({ slot }) => slot),
    );
    const ready = frames
      .filter(({ slot, state }) => state === OPEN && commits.has(slot))
      .sort((a, b) => a.time - b.time);
    for (let from = 0; from < ready.length; from += FRAMES_AT_ONCE)
      await labelSome(dataset, record, ready.slice(from, from + FRAMES_AT_ONCE));
    if (ready.length > 0) await models.saveCarry();
    return ready.length;
  }

  async function labelSome(into: LiveDataset, to: OpenRecord, frames: readonly KnownFrame[]): Promise<void> {
    signal?.throwIfAborted();
    const now = Date.now();
    const arrived = (frame: KnownFrame) => arrivals.get(frame) ?? now;
    const lines = await labelFrames({
      dataset: into,
      models,
      frames,
      arrived,
      lastEvent: to.lastEvent,
      signal,
    });
    await write(lines);
    const closed: LiveLine[] = [];
    for (const { series, time, arrived: came, logit, event } of lines) {
      const frame = into.known.find(series, time);
      if (!frame) continue;
      frame.state = logit === null ? BAD : LABELLED;
      to.lastEvent = Math.max(to.lastEvent, event ?? 0, frame.event);
      to.labels++;
      waiting.delete(frame);
      arrivals.delete(frame);
      closed.push(...to.gaps.came(series, time, came));
    }
    await write(closed);
  }

  return session;
}
