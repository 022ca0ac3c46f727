/** Reads a manifest: the frame index and where each frame lies. */
import { createHash } from 'node:crypto';
import { type Table, tableFromIPC } from 'apache-arrow';
import type { Commit } from '../../schemas/records/index.js';
import { CorruptShardError, isStormreelError } from '../errors.js';
import { RemoteFault } from '../remote/index.js';
import { bySeriesAndTime, commitRows } from './finalise.js';
import { layout } from './layout.js';
import { storageAt } from './storage/index.js';
import type { FrameIndex } from './store.js';

export interface Manifest {
  index: FrameIndex;
  hash: string;
  shards: readonly string[];
  /** Index into `shards`, record batch, row in it; batch -1 for a bad frame. */
  shard: Uint32Array;
  batch: Int32Array;
  row: Int32Array;
  reason(frame: number): string | null;
}

export async function readManifest(dir: string, name: string): Promise<Manifest> {
  const table = await readTable(dir, name);
  const column = (key: string) => table.getChild(key)!;
  const [seriesNames, series] = numbered(column('series'));
  const [shards, shard] = numbered(column('shard'));
  const n = table.numRows;
  const reasons = column('reason');
  return {
    index: {
      length: n,
      seriesNames,
      series,
      time: Float64Array.from({ length: n }, (_, i) => Number(column('time').get(i))),
      ok: Uint8Array.from({ length: n }, (_, i) => column('ok').get(i)),
    },
    hash: table.schema.metadata.get('hash') ?? '',
    shards,
    shard,
    batch: Int32Array.from({ length: n }, (_, i) => column('batch').get(i)),
    row: Int32Array.from({ length: n }, (_, i) => column('row').get(i)),
    reason: (frame) => reasons.get(frame),
  };
}

/** What the manifest would say of these commits alone. */
export function commitManifest(commits: readonly Commit[], rowsInBatch: number): Manifest {
  const rows = commits.flatMap((commit) => commitRows(commit, rowsInBatch)).sort(bySeriesAndTime);
  const [seriesNames, series] = numbered(rows.map((row) => row.series));
  const [shards, shard] = numbered(rows.map((row) => row.shard));
  return {
    index: {
      length: rows.length,
      seriesNames,
      series,
      time: Float64Array.from(rows, ({ time }) => time),
      ok: Uint8Array.from(rows, ({ content }) => (content === null ? 0 : 1)),
    },
    hash: '',
    shards,
    shard,
    batch: Int32Array.from(rows, ({ batch }) => batch),
    row: Int32Array.from(rows, ({ row }) => row),
    reason: (frame) => rows[frame].reason,
  };
}

/** Its name holds the hash of its bytes. */
async function readTable(dir: string, name: string): Promise<Table> {
  const storage = storageAt(dir);
  try {
    const bytes = await storage.read(name);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (name !== layout.manifest(sha256.slice(0, 8))) throw new Error('its bytes have changed');
    return tableFromIPC(bytes);
  } catch (cause) {
    if (isStormreelError(cause) || cause instanceof RemoteFault) throw cause;
    throw new CorruptShardError(
      `${storage.locate(name)} cannot be read as a manifest: ${(cause as Error).message}`,
      { hint: 'run the same stormreel ingest again; it is written anew from the commits', cause },
    );
  }
}

/** Distinct texts in order of appearance, and for each row which it is. */
function numbered(texts: Iterable<string>): [names: string[], numbers: Uint32Array] {
  const seen = new Map<string, number>();
  const numbers: number[] = [];
  for (const text of texts) {
    if (!seen.has(text)) seen.set(text, seen.size);
    numbers.push(seen.get(text)!);
  }
  return [[...seen.keys()], Uint32Array.from(numbers)];
}
