/**
 * Labels maps as they come: files that have settled become slots of the dataset through the queue, each new frame gets its
 * label and score, and both are on disk before anybody hears of them. Killed at any moment, the same call goes on and
 * labels no frame twice.
 *
 *   await watchMaps({ config, dataset: 'dataset', runDir: 'run', once: true });
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isStormreelError, type StormreelError } from '../../pipeline/errors.js';
import { listMaps, type MapFile } from '../../pipeline/raster/index.js';
import { datasetAddress, finalise, readDescription } from '../../pipeline/shards/index.js';
import { openBackend } from '../../pipeline/tensor/index.js';
import type { IngestConfig } from '../../schemas/config/index.js';
import type { LiveLine } from '../../schemas/records/index.js';
import { watchFolders } from './folders.js';
import { latencies } from './latencies.js';
import { openSession } from './open.js';
import type { Session } from './session.js';
import { type Tables, writeTables } from './tables.js';

export interface WatchMapsOptions {
  /** How maps are read; `sources` are folders or globs. */
  config: IngestConfig;
  /** Folder of the dataset; made where there is none. */
  dataset: string;
  /** Folder of a run that was trained, and where an anomaly model was fitted. */
  runDir: string;
  /** Folder of the record; default `live` in the run. */
  live?: string;
  /** A file is read when it has not changed for so long. Default 2 s. */
  settleMs?: number;
  /** Folders are looked at this often at least. Default 1 s. */
  everyMs?: number;
  /** How much later than a step after the last one a map may come before it counts as missing. Default half a step. */
  graceMs?: number;
  /** Ends when all that is there has settled and is labelled. */
  once?: boolean;
  /** Redis URL; default: a queue inside this process. */
  queue?: string;
  /** Decoding processes. Default 1: maps come one at a time. */
  workers?: number;
  /** Each line of the record, when it is on disk. */
  onLine?(line: LiveLine): void;
  log?(line: string): void;
  signal?: AbortSignal;
}

export interface WatchSummary {
  dataset: string;
  live: string;
  /** Lines of frames in the record, and those of this call. */
  frames: number;
  labelled: number;
  bad: number;
  late: number;
  gaps: number;
  rejected: number;
  /** Seconds from a settled file to its label on disk; null without a frame. */
  latency: { n: number; p50: number; p95: number } | null;
  /** Dataset hash; null where slots are open or there is no dataset. */
  hash: string | null;
  /** The record as tables; null without a frame. */
  tables: Tables | null;
}

/** Most files of one round, so that labels come steadily while an archive is read. */
const MOST_FILES = 256;
/** A folder takes at most this share of the time to look at. */
const LOOK_SHARE = 10;
/** A change in a folder wakes the watch after this long: it seldom comes alone. */
const GATHER_MS = 20;
/** The manifest is written anew so often at most, and no more of the time than LOOK_SHARE says. */
const FINALISE_EVERY_MS = 30_000;
/** Rounds in a row that fail for passing reasons before the watch gives up. */
const MOST_FAILURES = 10;
/** Rounds of `once` without anything new before it gives up on slots that stay open. */
const MOST_STUCK = 3;

/** Typed errors of settings, model and queue; Error when passing faults do not pass. Ends when `signal` aborts. */
export async function watchMaps(options: WatchMapsOptions): Promise<WatchSummary> {
  const { config, everyMs = 1_000, once = false, log = () => {}, signal } = options;
  const first = await lookAt(config.sources, config); // a wrong folder is told before anything is made
  await openBackend({ log });
  const session = await openSession({ ...options, dataset: datasetAddress(options.dataset) });
  const counts = { labelled: 0, bad: 0, late: 0, gaps: 0, rejected: 0 };
  const seconds = latencies();
  session.onLine = (line) => {
    count(counts, line);
    if (line.kind === 'label') seconds.add((line.labelled - line.arrived) / 1_000);
    tell(line, log);
    options.onLine?.(line);
  };
  const folders = watchFolders(config.sources);
  const pace = { failures: 0, stuck: 0, finalised: Date.now(), cost: 0, dirty: false };
  try {
    await session.recover();
    for (let files: MapFile[] | null = first; !signal?.aborted; files = null) {
      const began = performance.now();
      const settled = session.settling.look(files ?? (await lookAgain(config, log)), began, session.isDone);
      const looked = performance.now() - began;
      pace.dirty = (await round(session, settled.slice(0, MOST_FILES), pace, options)) || pace.dirty;
      await session.noticeGaps({ all: false });
      const next = session.settling.next();
      if (once && next === null && isOver(session, pace)) break;
      if (settled.length > MOST_FILES) continue;
      if (pace.dirty && !once) await finaliseSometimes(session, pace);
      const wait = Math.max(looked * LOOK_SHARE, everyMs * 2 ** Math.min(pace.failures, 5));
      const until = next === null ? wait : Math.min(wait, Math.max(10, next - performance.now()));
      await folders.changed(until, Math.max(GATHER_MS, looked * LOOK_SHARE), signal);
    }
    if (once && !signal?.aborted) await session.noticeGaps({ all: true });
    return { ...(await finish(session)), ...counts, latency: seconds.summary() };
  } catch (error) {
    if (!signal?.aborted) throw error;
    return { ...(await finish(session)), ...counts, latency: seconds.summary() };
  } finally {
    folders.close();
    await session.close();
  }
}

/** Nothing is left; or, after some rounds, nothing that could be filled. */
function isOver(session: Session, pace: { stuck: number }): boolean {
  if (session.open() === 0) return true;
  if (++pace.stuck < MOST_STUCK) return false;
  throw new Error(
    'some frames could not be read for passing reasons; their slots stay open and the same command tries them again',
  );
}

/** True when something was labelled. A passing fault is told and tried again in the next round. */
async function round(
  session: Session,
  files: readonly MapFile[],
  pace: { failures: number },
  { log = () => {}, signal }: WatchMapsOptions,
): Promise<boolean> {
  try {
    const labelled = await session.take(files);
    pace.failures = 0;
    return labelled > 0;
  } catch (error) {
    if (signal?.aborted || isStormreelError(error) || ++pace.failures >= MOST_FAILURES) throw error;
    log(`${(error as Error).message}; it is tried again`);
    await sleep(100);
    await session.reload();
    return false;
  }
}

/** ConfigError: a source that is not there. A folder without maps is one that waits for them. */
async function lookAt(sources: readonly string[], config: IngestConfig): Promise<MapFile[]> {
  const found: MapFile[] = [];
  for (const source of sources)
    found.push(
      ...(await listMaps([source], config).catch((error: StormreelError) => {
        if (isStormreelError(error) && error.fields.code === undefined && /holds no map/.test(error.message))
          return [];
        throw error;
      })),
    );
  return found;
}

/** A folder that is away for a while comes back. */
async function lookAgain(config: IngestConfig, log: (line: string) => void): Promise<MapFile[]> {
  return lookAt(config.sources, config).catch((error: Error) => {
    log(`${error.message}; it is looked at again`);
    return [];
  });
}

async function finaliseSometimes(
  session: Session,
  pace: { finalised: number; cost: number; dirty: boolean },
): Promise<void> {
  if (Date.now() - pace.finalised < Math.max(FINALISE_EVERY_MS, pace.cost * LOOK_SHARE)) return;
  const began = Date.now();
  await tryFinalise(session.dataset?.address);
  Object.assign(pace, { finalised: Date.now(), cost: Date.now() - began, dirty: false });
}

/** Null where a slot is open: the next start fills it. */
async function tryFinalise(address: string | undefined): Promise<string | null> {
  if (address === undefined) return null;
  try {
    return (await finalise(address)).hash;
  } catch (error) {
    if (isStormreelError(error) && error.tag === 'ConfigError') return null;
    throw error;
  }
}

async function finish(session: Session) {
  const { dataset, live, record, models } = session;
  const hash = await tryFinalise(dataset?.address);
  const frames = record?.labels ?? 0;
  const description = dataset && (await readDescription(dataset.address));
  const tables = description && frames > 0 ? await writeTables(live, description, models.calibration) : null;
  return { dataset: session.address, live, frames, hash, tables };
}

type Counts = Pick<WatchSummary, 'labelled' | 'bad' | 'late' | 'gaps' | 'rejected'>;

function count(counts: Counts, line: LiveLine): void {
  if (line.kind === 'label') {
    counts.labelled++;
    if (line.logit === null) counts.bad++;
    if (line.late) counts.late++;
  }
  if (line.kind === 'gap' && line.frames !== 0) counts.gaps++;
  if (line.kind === 'rejected') counts.rejected++;
}

/** What a person wants to hear at once. */
function tell(line: LiveLine, log: (line: string) => void): void {
  const at = (time: number) => new Date(time).toISOString().replace('.000', '');
  if (line.kind === 'label' && line.reason) log(`bad: ${line.series} ${at(line.time)}: ${line.reason}`);
  if (line.kind === 'label' && line.late) log(`late: ${line.series} ${at(line.time)}`);
  if (line.kind === 'rejected') log(`left out: ${line.path}: ${line.tag}: ${line.reason}`);
  if (line.kind === 'changed') log(`${line.path} changed after it was labelled; the label stays`);
  if (line.kind !== 'gap' || line.frames === 0) return;
  if (line.to === null) log(`missing: ${line.series} has no map since ${at(line.from)}`);
  else log(`missing: ${line.series} has ${line.frames} maps too few, ${at(line.from)} to ${at(line.to)}`);
}
