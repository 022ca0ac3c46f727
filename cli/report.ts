/** `stormreel report`: a run as one page. */
import { join, resolve } from 'node:path';
import { action, define } from './command.js';
import { loadConfig } from './config.js';

interface Flags {
  config?: string;
  out?: string;
}

export const command = () =>
  define(
    'report',
    'Write a run as one HTML page that needs no network',
    'stormreel report run --out report.html',
  )
    .argument('<run>', 'folder of a run that `stormreel train` and `stormreel label` wrote')
    .option('--out <file>', 'the page (default report.html in the run)')
    .option(
      '--config <file>',
      'stormreel.yaml whose title, about and attribution are used; default: the run’s own',
    )
    .action(
      action<Flags>(async ({ args: [run], flags, out }) => {
        const { writeReport } = await import('../pipeline/reports/index.js');
        const { path, bytes, missing } = await writeReport(
          run,
          flags.out ?? join(resolve(run), 'report.html'),
          flags.config ? await loadConfig(flags.config) : undefined,
        );
        for (const { piece, reason, cure } of missing)
          out.log(`not in the report: ${piece}. ${reason}\n  to get it: ${cure}`);
        const text = `${path}: ${(bytes / 1e6).toFixed(1)} MB, one file, opens without a network`;
        out.result({ out: path, bytes, missing }, text);
      }),
    );
