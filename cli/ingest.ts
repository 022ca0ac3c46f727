/** `stormreel ingest`: maps, and labels if there are any, into a dataset. */
import { resolve } from 'node:path';
import { Option } from 'commander';
import { ConfigError } from '../pipeline/errors.js';
import {
  centreCells,
  folderLabels,
  isGeographic,
  joinLabels,
  type LabelTable,
  readLabels,
  saveLabels,
} from '../pipeline/labels/index.js';
import { datasetAddress, openDataset } from '../pipeline/shards/index.js';
import { IngestConfig, LabelsConfig } from '../schemas/config/index.js';
import { type Ingested, ingest } from '../workers/index.js';
import { action, define } from './command.js';
import { check, isUrl, loadConfig } from './config.js';
import { type IngestFlags, ingestFlags, labelFlags } from './ingestFlags.js';
import { queueOption } from './queueOption.js';
import { workerCount } from './workerCount.js';

interface Flags extends IngestFlags {
  config?: string;
  out?: string;
  queue?: string;
  workers?: string;
}

export const command = () =>
  define(
    'ingest',
    'Decode maps into an ordered dataset of Arrow shards; run it again to go on or to add new maps',
    'stormreel ingest maps --out dataset --labels labels.csv',
  )
    .argument(
      '[source...]',
      'folders, globs or files: GeoTIFF, NetCDF, Zarr, .npy, PNG, JPEG; https:// or s3:// addresses: GeoTIFF',
    )
    .option('--out <dataset>', 'folder of the dataset, or s3://BUCKET/PREFIX')
    .option('--config <file>', 'stormreel.yaml; its dataset, ingest and labels sections are used')
    .option('--labels <file>', 'CSV with a header: time, label, and optionally series, event_id, lat, lon')
    .option('--time <pattern>', 'time in a file name, e.g. map_{YYYY}{MM}{DD}_{hh}{mm}.tif')
    .option('--series <name>', 'name of the one series')
    .option('--bands <a,b>', 'band names in dataset order')
    .option('--grid <WxH>', 'size of the grid, e.g. 128x96')
    .option('--crs <name>', 'CRS of the grid, e.g. EPSG:4326; maps of another are reprojected')
    .option('--extent <w,s,e,n>', 'edges of the grid, e.g. --extent=-10,30,40,60')
    .addOption(new Option('--resampling <method>', 'to the grid').choices(['nearest', 'bilinear', 'area']))
    .option('--tiles <size,stride>', 'cut each map into tiles, each a series')
    .option('--step <span>', 'nominal step, e.g. 6h; default: the median')
    .addOption(
      new Option('--duplicates <rule>', 'two files for one time').choices(['error', 'first', 'last']),
    )
    .addOption(new Option('--on-bad-frame <rule>', 'a map that cannot be read').choices(['stop', 'skip']))
    .option('--follow-links', 'read links in a folder that lead out of it')
    .option('--pictures', 'maps are pictures without times')
    .option('--shard-frames <n>', 'frames in one shard')
    .addOption(new Option('--compression <name>', 'of shards').choices(['none', 'lz4']))
    .option('--assume-utc', 'times without a zone, of maps and labels, are UTC')
    .option('--time-units <text>', 'units of time axes without any, e.g. "hours since 1940-01-01"')
    .addOption(
      new Option('--stac-time <end>', 'time of STAC items that cover a span').choices(['start', 'end']),
    )
    .option('--model-dates', 'dates of model calendars (noleap, 360_day) are those of the standard one')
    .option('--label-column <name>', 'column of the class')
    .option('--label-time-offset <span>', 'added to every label time, e.g. -12h')
    .option('--label-tolerance <span>', 'largest distance of a label from its frame, e.g. 3h')
    .option('--label-series-column <name>', 'column that names the series')
    .option('--label-lat <name>', 'column of the centre latitude')
    .option('--label-lon <name>', 'column of the centre longitude')
    .option('--label-from-folder <map>', 'classes by folder, e.g. 0=calm,1=storm')
    .option('--label-source <name>', 'name of the labels; default: the file name')
    .addOption(
      new Option('--label-unlabelled <rule>', 'frames without a label').choices([
        'error',
        'negative',
        'ignore',
      ]),
    )
    .addOption(new Option('--label-unmatched <rule>', 'labels without a frame').choices(['error', 'drop']))
    .addOption(queueOption('redis://... instead of the queue inside the process'))
    .option('--workers <n>', 'decoding processes; 0 leaves the work to workers elsewhere')
    .action(
      action<Flags>(async ({ args: sources, flags, out, signal }) => {
        const { dataset, config, labels } = await settings(sources, flags);
        const done = await ingest(dataset, config, {
          queue: flags.queue,
          workers: workerCount(flags),
          classFolders: Object.keys(labels?.fromFolder ?? {}),
          onProgress: out.onProgress,
          log: out.log,
          signal,
        });
        const table = labels && (await labelDataset(dataset, done, labels, out.log));
        const { hash, frames, bad, series } = done;
        const rejected = done.rejected.length;
        const leftOut = done.rejected;
        out.result(
          { dataset, hash, frames, bad, series, rejected, leftOut, labels: table && labelSummary(table) },
          text(dataset, done, table),
        );
      }),
    );

async function settings(
  sources: string[],
  flags: Flags,
): Promise<{ dataset: string; config: IngestConfig; labels: LabelsConfig | null }> {
  const file = flags.config ? await loadConfig(flags.config) : null;
  const dataset = flags.out ?? file?.dataset;
  if (!dataset)
    throw new ConfigError('no dataset folder', {
      hint: 'add --out DATASET, or --config FILE with a dataset',
    });
  const given = sources.length ? sources.map((s) => (isUrl(s) ? s : resolve(s))) : file?.ingest.sources;
  if (!given?.length)
    throw new ConfigError('no sources', {
      hint: 'name folders, globs or files of maps: stormreel ingest maps --out DATASET',
    });
  const where = flags.config ? `${flags.config} with flags` : 'flags';
  const config = check(IngestConfig, { ...file?.ingest, ...ingestFlags(flags), sources: given }, where);
  const stated = { ...file?.labels, ...labelFlags(flags) };
  const labels =
    stated.file || stated.fromFolder
      ? check(LabelsConfig, { ...stated, file: stated.file && resolve(stated.file) }, where)
      : null;
  return { dataset: datasetAddress(dataset), config, labels };
}

/** Joins the labels and keeps them beside the dataset. */
async function labelDataset(
  dataset: string,
  { planned }: Ingested,
  config: LabelsConfig,
  log: (line: string) => void,
): Promise<LabelTable> {
  const store = await openDataset(dataset);
  try {
    const rows =
      config.fromFolder && !config.file
        ? folderLabels(planned, config.fromFolder)
        : await readLabels(config, { baseDir: '.' });
    const table = joinLabels(store, rows, config);
    await saveLabels(dataset, table, store);
    tellOutside(store, table, log);
    return table;
  } finally {
    await store.close();
  }
}

/** A centre beyond the map may be meant, or latitude and longitude may have changed places: nobody else would notice. */
function tellOutside(
  store: Parameters<typeof centreCells>[0],
  table: LabelTable,
  log: (line: string) => void,
): void {
  if (!isGeographic(store.description.grid.crs)) return;
  const cells = centreCells(store, table);
  const placed = [...table.label.keys()].filter(
    (f) => table.label[f] === 1 && !Number.isNaN(table.lat[f]) && !Number.isNaN(table.lon[f]),
  );
  const outside = placed.filter((f) => cells[f] < 0).length;
  if (outside > 0)
    log(
      `${outside} of ${placed.length} storm centres lie outside their frame: are the columns lat and lon right?`,
    );
}

function labelSummary({ source, hash, rule, label, ignore, eventNames }: LabelTable) {
  const count = (wanted: number) => label.reduce((n, value) => n + Number(value === wanted), 0);
  return {
    source,
    hash,
    rule,
    positives: count(1),
    negatives: count(0),
    unlabelled: count(-1),
    ignored: ignore.reduce((n, value, i) => n + Number(value === 1 && label[i] >= 0), 0),
    events: eventNames.length,
  };
}

function text(dataset: string, { hash, frames, bad, series }: Ingested, table: LabelTable | null): string {
  const lines = [`${dataset}: ${frames} frames in ${series} series, ${bad} bad`, `hash ${hash}`];
  if (table) {
    const { source, positives, events, unlabelled } = labelSummary(table);
    lines.push(
      `labels "${source}": ${positives} storm frames in ${events} events${unlabelled ? `, ${unlabelled} frames without a label` : ''}`,
    );
  }
  return lines.join('\n');
}
