/** `stormreel dataset info|verify|repair|hash`. */
import { CorruptShardError } from '../pipeline/errors.js';
import { formatInstant } from '../pipeline/labels/index.js';
import {
  type Dataset,
  datasetAddress,
  openDataset,
  readFinished,
  repairDataset,
  type Verified,
  verifyDataset,
} from '../pipeline/shards/index.js';
import { action, define } from './command.js';

export const command = () =>
  define('dataset', 'Look at and check a dataset', 'stormreel dataset info dataset')
    .addCommand(info())
    .addCommand(verify())
    .addCommand(repair())
    .addCommand(hash());

const info = () =>
  define('info', 'Grid, bands, series, frames and hash', 'stormreel dataset info dataset --json')
    .argument('<dataset>', 'folder of the dataset')
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
    .argument('<dataset>', 'folder of the dataset')
    .action(
      action(async ({ args: [dir], out }) => {
        const verified = await verifyDataset(datasetAddress(dir), { onProgress: out.onProgress });
        if (verified.faults.length > 0) throw faultError(dir, verified);
        out.result(verified, `${dir}: ${counts(verified)}, all as committed`);
      }),
    );

const repair = () =>
  define(
    'repair',
    'Set aside what fails the check, so that the next ingest makes it again',
    'stormreel dataset repair dataset',
  )
    .argument('<dataset>', 'folder of the dataset')
    .action(
      action(async ({ args: [dir], out }) => {
        const verified = await repairDataset(datasetAddress(dir), { onProgress: out.onProgress });
        const { length } = verified.faults;
        const next = length ? `; ${length} slots are open again: run the same stormreel ingest` : '';
        out.result(verified, `${dir}: ${counts(verified)}${next}`);
      }),
    );

const hash = () =>
  define('hash', 'Print the dataset hash alone on a line', 'stormreel dataset hash dataset')
    .argument('<dataset>', 'folder of the dataset')
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
  const first = faults.slice(0, 3).map(({ slot, problem }) => `${slot}: ${problem}`);
  return new CorruptShardError(
    `${faults.length} fault${faults.length > 1 ? 's' : ''} in the ${slots} slots of ${dir}: ${first.join('; ')}`,
    {
      hint: `stormreel dataset repair ${dir}, then run the same stormreel ingest again`,
      fields: { faults },
    },
  );
}
