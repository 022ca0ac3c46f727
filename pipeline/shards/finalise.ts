/** Commits -> manifest and dataset hash; temporary files and shards that no commit names are swept. */
import { createHash } from 'node:crypto';
import {
  Int8,
  Int32,
  makeBuilder,
  Table,
  TimestampMillisecond,
  tableToIPC,
  Utf8,
  type Vector,
} from 'apache-arrow';
import * as z from 'zod';
import type { Commit, DatasetDescription, Slot } from '../../schemas/records/index.js';
import { ConfigError, CorruptShardError, isStormreelError } from '../errors.js';
import { inParallel, RemoteFault } from '../remote/index.js';
import { readDescription } from './description.js';
import { batchRows } from './encode.js';
import { layout } from './layout.js';
import { readPlan } from './plan.js';
import { openSealedJson, sealJson } from './seal.js';
import { readCommit } from './slot.js';
import { storageAt } from './storage/index.js';
import { sweep } from './sweep.js';

/** What a finished ingest holds. */
const Finished = z.object({
  /** Dataset hash, 64 hex digits. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** File name of the manifest. */
  manifest: z.string().regex(/^[\w.-]+$/),
  frames: z.int().min(0),
  bad: z.int().min(0),
  series: z.int().min(0),
});
export type Finished = z.infer<typeof Finished>;

/** One frame of the manifest. */
export interface Row {
  series: string;
  time: number;
  shard: string;
  /** Record batch in the shard and row in the batch; -1 for a bad frame. */
  batch: number;
  row: number;
  reason: string | null;
  content: string | null;
}

/** Slots of the plan that have no commit yet, in plan order. */
export async function openSlots(dir: string): Promise<Slot[]> {
  const { slots } = await readPlan(dir);
  const committed = new Set(await storageAt(dir).list(layout.commits));
  return slots.filter(({ slot }) => !committed.has(`${slot}.json`));
}

/**
 * Compiles the manifest once every slot is committed; ConfigError naming how many are not. A finalise that was held up
 * while a later revision was finished (a frozen process) would put the older state back, so it looks again at its end.
 */
export async function finalise(dir: string): Promise<Finished> {
  for (;;) {
    const compiled = await compile(dir);
    const finished = await writeManifest(dir, compiled);
    await sweep(dir, new Set(compiled.commits.map(({ shard }) => shard)));
    if ((await readPlan(dir)).revision === compiled.revision || (await openSlots(dir)).length > 0)
      return finished;
  }
}

async function writeManifest(dir: string, { rows, hash }: Compiled): Promise<Finished> {
  const storage = storageAt(dir);
  const bytes = encodeManifest(rows, hash);
  const hash8 = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
  await storage.replace(layout.manifest(hash8), bytes);
  const finished = {
    hash,
    manifest: layout.manifest(hash8),
    frames: rows.length,
    bad: rows.filter(({ content }) => content === null).length,
    series: new Set(rows.map((r) => r.series)).size,
  };
  await storage.replace(layout.current, sealJson(finished));
  return finished;
}

/** The dataset hash that the commits give, whatever the manifest says; ConfigError where slots are open. */
export const committedHash = async (dir: string): Promise<string> => (await compile(dir)).hash;

interface Compiled {
  revision: number;
  commits: Commit[];
  rows: Row[];
  hash: string;
}

async function compile(dir: string): Promise<Compiled> {
  const description = await readDescription(dir);
  const { revision, slots } = await readPlan(dir);
  const commits = await allCommits(dir, slots);
  const rows = commits.flatMap((commit) => commitRows(commit, batchRows(description)));
  rows.sort(bySeriesAndTime);
  return { revision, commits, rows, hash: datasetHash(description, rows) };
}

type Place = Pick<Row, 'series' | 'time'>;

/** The order of frames in a manifest. */
export const bySeriesAndTime = (a: Place, b: Place): number =>
  a.series < b.series ? -1 : a.series > b.series ? 1 : a.time - b.time;

/** The dataset hash of the last finalised state. ConfigError: there is none; CorruptShardError: it cannot be read. */
export async function readFinished(dir: string): Promise<Finished> {
  await readDescription(dir);
  const storage = storageAt(dir);
  let text: string;
  try {
    text = (await storage.read(layout.current)).toString('utf8');
  } catch (cause) {
    if (isStormreelError(cause) || cause instanceof RemoteFault) throw cause;
    throw new ConfigError(`${dir} has no manifest: its ingest did not finish`, {
      hint: 'run the same stormreel ingest again; it goes on where it stopped',
      cause,
    });
  }
  try {
    return Finished.parse(openSealedJson(text));
  } catch (cause) {
    throw new CorruptShardError(`${storage.locate(layout.current)} is damaged`, {
      hint: 'run the same stormreel ingest again; it is written anew from the commits',
      cause,
    });
  }
}

async function allCommits(dir: string, slots: readonly Slot[]): Promise<Commit[]> {
  const found = await inParallel(slots, ({ slot }) => readCommit(dir, slot));
  const commits = found.filter((commit) => commit !== null);
  const open = slots.length - commits.length;
  if (open === 0) return commits;
  throw new ConfigError(`${open} of ${slots.length} slots of ${dir} are not committed`, {
    hint: 'run the same stormreel ingest again; it goes on where it stopped',
    fields: { open, slots: slots.length },
  });
}

/** The frames of a commit, in its order. */
export function commitRows({ series, shard, frames }: Commit, rowsInBatch: number): Row[] {
  let stored = 0;
  return frames.map(({ time, reason, content }) => {
    const place =
      content === null
        ? { batch: -1, row: -1 }
        : { batch: Math.floor(stored / rowsInBatch), row: stored % rowsInBatch };
    if (content !== null) stored++;
    return { series, time, shard, reason, content, ...place };
  });
}

/**
 * sha256 over (series, time, content sha, status, kind of fault) in order, plus grid, bands and encoder version. No paths
 * (a fault's text may name one, so its tag stands for it), attempts, slots or statistics.
 */
function datasetHash(
  { grid, bands, dtype, encoderVersion }: DatasetDescription,
  rows: readonly Row[],
): string {
  const hash = createHash('sha256').update(JSON.stringify({ grid, bands, dtype, encoderVersion }));
  for (const { series, time, content, reason } of rows)
    hash.update(`\n${series}\t${time}\t${content ?? '-'}\t${reason?.split(':')[0] ?? 'ok'}`);
  return hash.digest('hex');
}

function encodeManifest(rows: readonly Row[], hash: string): Uint8Array {
  const column = (type: Parameters<typeof makeBuilder>[0]['type'], value: (row: Row) => unknown): Vector => {
    const builder = makeBuilder({ type, nullValues: [null] });
    for (const row of rows) builder.append(value(row));
    return builder.finish().toVector();
  };
  const table = new Table({
    series: column(new Utf8(), (r) => r.series),
    time: column(new TimestampMillisecond('UTC'), (r) => r.time),
    ok: column(new Int8(), (r) => (r.content === null ? 0 : 1)),
    shard: column(new Utf8(), (r) => r.shard),
    batch: column(new Int32(), (r) => r.batch),
    row: column(new Int32(), (r) => r.row),
    reason: column(new Utf8(), (r) => r.reason),
  });
  table.schema.metadata.set('hash', hash);
  return tableToIPC(table, 'file');
}
