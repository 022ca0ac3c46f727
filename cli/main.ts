/** `stormreel COMMAND`: one file a command, loaded only when it is called. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { report, usageError } from './command.js';
import { hideCredentials } from './hideCredentials.js';
import { endWithParent } from './orphan.js';
import { endWithReader } from './pipes.js';

type Load = () => Promise<{ command: () => Command }>;

/** Verb, one line for the overview, and where it lives. */
const COMMANDS: readonly [name: string, summary: string, load: Load][] = [
  ['run', 'ingest, train, label, score and report from one config', () => import('./run.js')],
  ['ingest', 'decode maps into an ordered dataset of Arrow shards', () => import('./ingest.js')],
  ['train', 'train a model on a dataset', () => import('./train.js')],
  ['label', 'give every frame a calibrated probability', () => import('./label.js')],
  ['watch', 'label new maps as they come', () => import('./watch.js')],
  ['evaluate', 'compare predictions with labels', () => import('./evaluate.js')],
  ['anomaly', 'say how unusual every frame is', () => import('./anomaly.js')],
  ['report', 'write a run as one HTML page', () => import('./report.js')],
  ['dataset', 'look at, check, repair and compact a dataset', () => import('./dataset.js')],
  ['simulate', 'write a simulated season of GeoTIFF maps with labels', () => import('./simulate.js')],
  ['model', 'bring in weights of Keras', () => import('./model.js')],
  ['backend', 'install or check the tensor backend', () => import('./backend.js')],
  ['worker', 'work on the jobs of a Redis queue', () => import('./worker.js')],
  ['queue', 'status of a queue', () => import('./queue.js')],
  ['board', 'dashboard of a queue on this machine', () => import('./board.js')],
];

export async function main(argv: string[]): Promise<void> {
  const program = new Command('stormreel')
    .description('Labels every frame of long, ordered map series.')
    .version(version())
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  const [name] = argv;
  hideCredentials(argv);
  if (process.env.STORMREEL_BACKEND === '') delete process.env.STORMREEL_BACKEND; // empty is not set
  for (const [command, summary, load] of COMMANDS) {
    if (command === name) program.addCommand((await load()).command());
    else program.command(command).description(summary);
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    process.exitCode = exitCode(error, argv);
  }
}

function exitCode(error: unknown, argv: readonly string[]): number {
  const json = argv.includes('--json');
  if (!(error instanceof CommanderError)) return report(error, json);
  if (error.exitCode === 0) return 0; // --help, --version
  if (error.code === 'commander.help' && !json) return 2; // the overview is on stderr
  const known = COMMANDS.some(([name]) => name === argv[0]);
  return report(usageError(error, known ? `stormreel ${argv[0]}` : 'stormreel'), json);
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}

endWithParent();
endWithReader();
await main(process.argv.slice(2));
