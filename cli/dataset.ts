/** `stormreel dataset info|verify|repair|hash`. */
import { ConfigError, CorruptShardError } from '../pipeline/errors.js';
import { formatInstant } from '../pipeline/labels/index.js';
import {
  type Dataset,
  datasetAddress,
  openDataset,
  readFinished,
  type Verified,
  verifyDataset,
} from '../pipeline/shards/index.js';
import { compact, repair } from '../workers/index.js';
import { action, define } from './command.js';
import { queueOption } from './queueOption.js';
import { workerCount } from './workerCount.js';

export const command = () =>
  define('dataset', 'Look at and check a dataset', 'stormreel dataset info dataset')
    .addCommand(info())
    .addCommand(verify())
    .addCommand(repairCommand())
    .addCommand(compactCommand())
    .addCommand(hash());

const info = () =>
  define('info', 'Grid, bands, series, frames and hash', 'stormreel dataset info dataset --json')
    .argument('<dataset>', 'folder or s3:// address of the dataset')
    .action(
      action(async ({ args: [dir], out }) => {
        const store = await openDataset(datasetAddress(dir));
        try {
          const found = describe(store);
          out.result(found, infoText(found));
        } finally {
          await store.close();
        }
      }),
    );

const verify = () =>
  define(
    'verify',
    'Read every shard and compare it with its commit; exit code 2 when something is wrong',
    'stormreel dataset verify dataset',
  )
    .argument('<dataset>', 'folder or s3:// address of the dataset')
    .action(
      action(async ({ args: [dir], out }) => {
        const verified = await verifyDataset(datasetAddress(dir), { onProgress: out.onProgress });
        if (verified.faults.length > 0) throw faultError(dir, verified);
        out.result(verified, `${dir}: ${counts(verified)}, all as committed`);
      }),
    );

interface RepairFlags {
  queue?: string;
  workers?: string;
}

const repairCommand = () =>
  define(
    'repair',
    'Rebuild from their sources just the shards that fail the check; damaged files are kept in set-aside/',
    'stormreel dataset repair dataset',
  )
    .argument('<dataset>', 'folder or s3:// address of the dataset')
    .addOption(queueOption('redis://... instead of the queue inside the process'))
    .option('--workers <n>', 'decoding processes; 0 leaves the work to workers elsewhere')
    .action(
      action<RepairFlags>(async ({ args: [dir], flags, out, signal }) => {
        const { queue } = flags;
        const { verified, finished } = await repair(datasetAddress(dir), {
          ...{ queue, workers: workerCount(flags), signal },
          onProgress: out.onProgress,
        });
        const lost = verified.faults.filter(({ repairable }) => !repairable);
        if (lost.length > 0) throw faultError(dir, { ...verified, faults: lost });
        const { length } = verified.faults;
        out.result(
          { ...verified, hash: finished?.hash ?? null },
          length
            ? `${dir}: ${length} fault${length > 1 ? 's' : ''} mended, hash ${finished?.hash}`
            : `${dir}: ${counts(verified)}, nothing to mend`,
        );
      }),
    );

interface CompactFlags extends RepairFlags {
  shardFrames: string;
}

const compactCommand = () =>
  define(
    'compact',
    'Put many small shards, such as live maps make, together into few large ones; the hash stays',
    'stormreel dataset compact dataset',
  )
    .argument('<dataset>', 'folder of the dataset')
    .option('--shard-frames <n>', 'most frames in one shard', '64')
    .addOption(queueOption('redis://... instead of the queue inside the process'))
    .option('--workers <n>', 'processes; 0 leaves the work to workers elsewhere')
    .action(
      action<CompactFlags>(async ({ args: [dir], flags, out, signal }) => {
        const shardFrames = Number(flags.shardFrames);
        if (!Number.isInteger(shardFrames) || shardFrames < 2)
          throw new ConfigError(
            `--shard-frames is "${flags.shardFrames}"; expected a whole number of at least 2`,
            {
              hint: 'e.g. --shard-frames 64',
            },
          );
        const { before, after, finished } = await compact(datasetAddress(dir), {
          ...{ shardFrames, queue: flags.queue, workers: workerCount(flags), signal },
          onProgress: out.onProgress,
        });
        const { hash: found, frames } = finished;
        out.result(
          { before, after, frames, hash: found },
          `${dir}: ${frames} frames, ${before} shards are now ${after}; hash ${found}`,
        );
      }),
    );

const hash = () =>
  define('hash', 'Print the dataset hash alone on a line', 'stormreel dataset hash dataset')
    .argument('<dataset>', 'folder or s3:// address of the dataset')
    .action(
      action(async ({ args: [dir], out }) => {
        const { hash: found } = await readFinished(datasetAddress(dir));
        out.result({ hash: found }, found);
      }),
    );

function describe({ description, index, hash: found }: Dataset) {
  const { grid, bands, dtype, stepMs, time } = description;
  const series = index.seriesNames.map((name, number) => ({ name, ...span(index, number) }));
  const bad = index.ok.reduce((n, ok) => n + Number(ok === 0), 0);
  return { hash: found, frames: index.length, bad, grid, bands, dtype, stepMs, time, series };
}

function span({ series, time }: Dataset['index'], number: number) {
  const first = series.indexOf(number);
  const last = series.lastIndexOf(number);
  return { frames: first < 0 ? 0 : last - first + 1, from: time[first] ?? null, to: time[last] ?? null };
}

function infoText(found: ReturnType<typeof describe>): string {
  const { grid, bands, series, frames, bad, dtype, stepMs, time } = found;
  const when = (ms: number | null) => (ms === null ? '?' : time === 'utc' ? formatInstant(ms) : String(ms));
  const shown = series.slice(0, 20);
  return [
    `hash    ${found.hash}`,
    `frames  ${frames} (${bad} bad) in ${series.length} series${stepMs ? `, step ${stepMs / 3_600_000} h` : ''}`,
    `grid    ${grid.width} x ${grid.height}, ${grid.crs}`,
    `bands   ${bands.map(({ name, unit }) => (unit ? `${name} [${unit}]` : name)).join(', ')}, stored as ${dtype}`,
    ...shown.map(
      ({ name, frames: n, from, to }) => `series  ${name}: ${n} frames, ${when(from)} to ${when(to)}`,
    ),
    ...(series.length > shown.length ? [`        and ${series.length - shown.length} more`] : []),
  ].join('\n');
}

const counts = ({ slots, frames, bad }: Verified): string => `${slots} slots, ${frames} frames (${bad} bad)`;

function faultError(dir: string, { faults, slots }: Verified): CorruptShardError {
  const first = faults.slice(0, 3).map(({ name, problem }) => `${name}: ${problem}`);
  return new CorruptShardError(
    `${faults.length} fault${faults.length > 1 ? 's' : ''} in ${dir} (${slots} slots): ${first.join('; ')}`,
    {
      hint: faults.some(({ repairable }) => repairable)
        ? `stormreel dataset repair ${dir}`
        : 'no source can bring these files back: restore them from a copy; join damaged labels again with stormreel ingest --labels, or ingest into a new folder',
      fields: { faults },
    },
  );
}
