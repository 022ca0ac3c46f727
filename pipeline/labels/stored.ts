/** Labels beside their dataset, `labels/<source>.arrow`: one row a labelled frame, found again by series and time. */
import {
  Float32,
  Int8,
  makeBuilder,
  Table,
  TimestampMillisecond,
  Uint8,
  Utf8,
  type Vector,
} from 'apache-arrow';
import { ConfigError, CorruptShardError, isStormreelError, LabelJoinError } from '../errors.js';
import { RemoteFault } from '../remote/index.js';
import { openSealedArrow, type Storage, sealArrow, storageAt } from '../shards/index.js';
import { assembleLabels, type FrameLabel } from './assemble.js';
import type { Frames } from './join.js';
import type { LabelTable } from './table.js';

const FOLDER = 'labels';

/** Writes the labels of all labelled frames and returns where they are. */
export async function saveLabels(datasetDir: string, table: LabelTable, { index }: Frames): Promise<string> {
  const file = `${FOLDER}/${fileName(table.source)}.arrow`;
  const frames = [...index.time.keys()].filter((frame) => table.label[frame] >= 0);
  const column = <T>(
    type: Parameters<typeof makeBuilder>[0]['type'],
    value: (frame: number) => T,
  ): Vector => {
    const builder = makeBuilder({ type, nullValues: [null] });
    for (const frame of frames) builder.append(value(frame));
    return builder.finish().toVector();
  };
  const stored = new Table({
    series: column(new Utf8(), (f) => index.seriesNames[index.series[f]]),
    time: column(new TimestampMillisecond('UTC'), (f) => index.time[f]),
    label: column(new Int8(), (f) => table.label[f]),
    ignore: column(new Uint8(), (f) => table.ignore[f]),
    event: column(new Utf8(), (f) => (table.event[f] < 0 ? null : table.eventNames[table.event[f]])),
    lat: column(new Float32(), (f) => table.lat[f]),
    lon: column(new Float32(), (f) => table.lon[f]),
  });
  stored.schema.metadata.set('source', table.source).set('rule', table.rule).set('hash', table.hash);
  const storage = storageAt(datasetDir);
  await storage.replace(file, sealArrow(stored));
  return storage.locate(file);
}

/**
 * Labels of `source` (default: the only one) aligned with the frames of `store`. A frame that came after the labels
 * were saved is unlabelled and ignored; all others keep theirs. ConfigError: no such labels, or several and none chosen.
 */
export async function loadLabels(datasetDir: string, store: Frames, source?: string): Promise<LabelTable> {
  const { stored, entries } = await readStored(storageAt(datasetDir), await labelsFile(datasetDir, source));
  const { index, description } = store;
  const table = assembleLabels({
    index,
    stepMs: description.stepMs,
    source: stored.schema.metadata.get('source') ?? '',
    rule: stored.schema.metadata.get('rule') ?? '',
    of: (frame) => entries.get(keyOf(index.seriesNames[index.series[frame]], index.time[frame])),
  });
  if (!table.label.some((label) => label >= 0))
    throw new LabelJoinError(
      `none of the ${stored.numRows} labels of "${table.source}" belongs to a frame of ${datasetDir}`,
      { hint: 'join the labels again: stormreel ingest SOURCE --out DATASET --labels FILE' },
    );
  return table;
}

async function readStored(
  storage: Storage,
  file: string,
): Promise<{ stored: Table; entries: Map<string, FrameLabel> }> {
  try {
    const stored = openSealedArrow(await storage.read(file));
    return { stored, entries: storedEntries(stored) };
  } catch (cause) {
    if (isStormreelError(cause) || cause instanceof RemoteFault) throw cause;
    const where = storage.locate(file);
    throw new CorruptShardError(`cannot read the labels in ${where}: the file is damaged or not ours`, {
      hint: 'join the labels again: stormreel ingest SOURCE --out DATASET --labels FILE',
      cause,
      fields: { file: where },
    });
  }
}

const keyOf = (series: string, time: number): string => `${series}\0${time}`;
const fileName = (source: string): string => source.replace(/[^\w.-]+/g, '_');

async function labelsFile(datasetDir: string, source: string | undefined): Promise<string> {
  const files = await storageAt(datasetDir).list(FOLDER);
  const names = files.filter((f) => f.endsWith('.arrow')).map((f) => f.slice(0, -'.arrow'.length));
  const wanted = source === undefined ? names : names.filter((name) => name === fileName(source));
  if (wanted.length === 1) return `${FOLDER}/${wanted[0]}.arrow`;
  if (names.length === 0)
    throw new ConfigError(`${datasetDir} has no labels`, {
      hint: 'add them: stormreel ingest SOURCE --out DATASET --labels FILE',
      fields: { dataset: datasetDir },
    });
  throw new ConfigError(
    `${datasetDir} has labels [${names.sort().join(', ')}]${source ? ` but none called "${source}"` : ''}`,
    {
      hint: `choose one with --labels-source ${names[0]} (labels.source in the config)`,
      fields: { dataset: datasetDir, sources: names },
    },
  );
}

/** Event names are stored in full; they are shortened back so that assembling them again gives the same names. */
function storedEntries(stored: Table): Map<string, FrameLabel> {
  const column = (name: string) => stored.getChild(name)!;
  const [series, time, event] = [column('series'), column('time'), column('event')];
  const [label, ignore] = [column('label').toArray(), column('ignore').toArray()];
  const [lat, lon] = [column('lat').toArray(), column('lon').toArray()];
  const entries = new Map<string, FrameLabel>();
  for (let row = 0; row < stored.numRows; row++) {
    const name: string = series.get(row);
    const full: string | null = event.get(row);
    entries.set(keyOf(name, Number(time.get(row))), {
      label: label[row],
      ignore: ignore[row],
      event: full?.startsWith(`${name}/`) ? full.slice(name.length + 1) : full,
      lat: lat[row],
      lon: lon[row],
    });
  }
  return entries;
}
