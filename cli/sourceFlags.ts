/** Flags of commands that read maps for a model that is there: what is not said is as the run's own maps were read. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { loadProvenance } from '../pipeline/training/index.js';
import { IngestConfig } from '../schemas/config/index.js';
import { check, isUrl } from './config.js';
import { type IngestFlags, ingestFlags } from './ingestFlags.js';

/** Adds them to `command`. */
export const withSourceFlags = (command: Command): Command =>
  command
    .option('--time <pattern>', 'time in a file name; this and the next default to the config of the run')
    .option('--series <name>', 'name of the one series')
    .option('--bands <a,b>', 'band names in dataset order')
    .option('--grid <WxH>', 'size of the grid')
    .option('--step <span>', 'nominal step')
    .option('--assume-utc', 'times without a zone are UTC')
    .addOption(
      new Option('--duplicates <rule>', 'two files for one time').choices(['error', 'first', 'last']),
    );

/** The ingest config of the run, then `defaults`, then flags. */
export async function sourceConfig(
  sources: readonly string[],
  runDir: string,
  flags: IngestFlags,
  defaults: Partial<IngestConfig> = {},
): Promise<IngestConfig> {
  const known = await loadProvenance(runDir).catch(() => null);
  const given = {
    ...ingestFlags(flags),
    sources: sources.map((source) => (isUrl(source) ? source : resolve(source))),
  };
  return check(IngestConfig, { ...known?.config.ingest, ...defaults, ...given }, 'flags');
}
