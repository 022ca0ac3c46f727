/** Reads a manifest: the frame index and where each frame lies. */
import { createHash } from 'node:crypto';
import { type Table, tableFromIPC, type Utf8, type Vector } from 'apache-arrow';
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
  const reasons = column('reason');
  return {
    index: {
      length: table.numRows,
      seriesNames,
      series,
      time: milliseconds(whole(column('time'))),
      ok: new Uint8Array(whole<Int8Array>(column('ok'))),
    },
    hash: table.schema.metadata.get('hash') ?? '',
    shards,
    shard,
    batch: whole(column('batch')),
    row: whole(column('row')),
    reason: (frame) => reasons.get(frame),
  };
}

/** What the manifest would say of these commits alone. */
export function commitManifest(commits: readonly Commit[], rowsInBatch: number): Manifest {
  const rows = commits.flatMap((commit) => commitRows(commit, rowsInBatch)).sort(bySeriesAndTime);
  const [seriesNames, series] = numberTexts(rows, ({ series }) => series);
  const [shards, shard] = numberTexts(rows, ({ shard }) => shard);
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

/** The numbers of a column as they lie in the file, without a getter for each row. */
function whole<A>(column: Vector): A {
  return column.toArray() as A;
}

/** As numbers, out of the halves of each 64-bit one: a bigint for every frame is a heap of garbage. */
function milliseconds(times: BigInt64Array): Float64Array {
  const low = new Uint32Array(times.buffer, times.byteOffset, 2 * times.length);
  const high = new Int32Array(times.buffer, times.byteOffset, 2 * times.length);
  const found = new Float64Array(times.length);
  for (let i = 0; i < found.length; i++) found[i] = high[2 * i + 1] * 2 ** 32 + low[2 * i];
  return found;
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

/** Distinct texts in order of appearance, and for each row which it is. Neighbours are mostly equal: their bytes are compared. */
function numbered(column: Vector<Utf8>): [names: string[], numbers: Uint32Array] {
  const seen = new Map<string, number>();
  const numbers = new Uint32Array(column.length);
  let at = 0;
  for (const { length, values, valueOffsets } of column.data) {
    let number = 0;
    for (let row = 0; row < length; row++) {
      if (row === 0 || !sameText(values, valueOffsets, row))
        number = numberOf(textAt(values, valueOffsets, row), seen);
      numbers[at++] = number;
    }
  }
  return [[...seen.keys()], numbers];
}

const textAt = (bytes: Uint8Array, offsets: Int32Array, row: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + offsets[row], offsets[row + 1] - offsets[row]).toString(
    'utf8',
  );

/** True where a row's text is that of the row before it. */
function sameText(bytes: Uint8Array, offsets: Int32Array, row: number): boolean {
  const [before, from, to] = [offsets[row - 1], offsets[row], offsets[row + 1]];
  if (to - from !== from - before) return false;
  // The end differs first: names count up.
  for (let i = to - 1, j = from - 1; i >= from; i--, j--) if (bytes[i] !== bytes[j]) return false;
  return true;
}

function numberOf(text: string, seen: Map<string, number>): number {
  const known = seen.get(text) ?? seen.size;
  seen.set(text, known);
  return known;
}

function numberTexts<Row>(
  rows: readonly Row[],
  text: (row: Row) => string,
): [names: string[], numbers: Uint32Array] {
  const seen = new Map<string, number>();
  const numbers = Uint32Array.from(rows, (row) => numberOf(text(row), seen));
  return [[...seen.keys()], numbers];
}
