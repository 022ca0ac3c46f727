/** The folder of a live record: whose it is, the lines so far, and one process at a time that adds to it. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, CorruptShardError, QueueError } from '../../pipeline/errors.js';
import { writeWhole } from '../../pipeline/labelling/index.js';
import { type LiveGap, type LiveLabel, type LiveLine, LiveRecord } from '../../schemas/records/index.js';
import { socketPath } from '../queues/index.js';
import { acquire } from '../queues/owner.js';
import { type Gaps, gaps } from './gaps.js';
import { openJournal } from './journal.js';
import { BAD, type KnownFrames, LABELLED } from './known.js';
import { refuseOtherModel } from './models.js';

/** Becomes the only writer; returns what gives the folder up. QueueError: another watch has it. */
export async function ownRecord(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  return acquire(folder, socketPath(folder)).catch((error) => {
    if (!(error instanceof QueueError)) throw error;
    const { pid, host } = error.fields;
    throw new QueueError(`the live record in ${folder} is written by process ${pid} on ${host}`, {
      hint: 'stop that watch first, or keep another record with --live FOLDER',
      cause: error,
      fields: error.fields,
    });
  });
}

/** live.json as it stands, or as `begin` says where there is none. @throws ConfigError, ModelMismatchError for another's. */
export async function settleRecord(folder: string, begin: LiveRecord): Promise<LiveRecord> {
  const path = join(folder, 'live.json');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) {
    await writeWhole(path, `${JSON.stringify(begin, null, 1)}\n`);
    return begin;
  }
  const record = parse(text, path);
  if (record.dataset !== begin.dataset)
    throw new ConfigError(
      `the live record in ${folder} is of the dataset ${record.dataset}, not of ${begin.dataset}`,
      { hint: 'keep another record with --live FOLDER', fields: { folder, dataset: record.dataset } },
    );
  refuseOtherModel(record, begin, folder);
  return record;
}

function parse(text: string, path: string): LiveRecord {
  try {
    return LiveRecord.parse(JSON.parse(text));
  } catch (cause) {
    throw new CorruptShardError(`${path} is no live record of format version 1`, {
      hint: 'restore the file from a copy, or begin a new record with --live FOLDER',
      cause,
      fields: { path },
    });
  }
}

export interface OpenRecord {
  readonly gaps: Gaps;
  /** path -> size and time of change of files that give no frame. */
  readonly rejected: Map<string, { size: number; mtimeMs: number }>;
  lastEvent: number;
  labels: number;
  append(lines: readonly LiveLine[]): Promise<void>;
  close(): Promise<void>;
}

/** Reads what the record holds into `known`, then adds to it. */
export async function openRecord(
  folder: string,
  known: KnownFrames,
  times: { stepMs: number; graceMs: number },
): Promise<OpenRecord> {
  const watch = gaps(times);
  const rejected: OpenRecord['rejected'] = new Map();
  const closing = new Map<string, LiveGap>();
  let [lastEvent, labels] = [0, 0];
  const key = ({ series, from }: LiveGap) => `${series}\0${from}`;
  const journal = await openJournal(join(folder, 'record.jsonl'), (line) => {
    if (line.kind === 'rejected') rejected.set(line.path, { size: line.size, mtimeMs: line.mtimeMs });
    if (line.kind === 'gap') {
      watch.recorded(line);
      if (line.to !== null) closing.delete(key(line));
    }
    if (line.kind !== 'label') return;
    lastEvent = Math.max(lastEvent, line.event ?? 0);
    labels++;
    takeLabel(known, line);
    for (const gap of watch.came(line.series, line.time, line.arrived)) closing.set(key(gap), gap);
  });
  carryLatch(known);
  await journal.append([...closing.values()]); // a kill came between a frame and the end of its gap
  return { gaps: watch, rejected, lastEvent, labels, append: journal.append, close: journal.close };
}

function takeLabel(known: KnownFrames, { series, time, logit, predicted, event }: LiveLabel): void {
  const ok = logit !== null;
  const said = { state: ok ? LABELLED : BAD, on: predicted ?? 0, event: event ?? 0 } as const;
  const frame = known.find(series, time);
  if (frame) Object.assign(frame, said);
  else known.add({ series, time, slot: '', path: '', ok, ...said });
}

/** A bad frame leaves the latch as it was; its line does not say how that was. */
function carryLatch(known: KnownFrames): void {
  for (const series of known.series())
    for (const frame of known.of(series)) {
      if (frame.state !== BAD) continue;
      const [before] = known.before(series, frame.time, 1);
      frame.on = before?.on ?? 0;
      frame.event = before?.event ?? 0;
    }
}
