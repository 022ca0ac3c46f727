/** `stormreel worker`: decodes for ingests that run elsewhere. */
import { Option } from 'commander';
import { ConfigError } from '../pipeline/errors.js';
import { work } from '../workers/index.js';
import { action, define } from './command.js';

interface Flags {
  queue?: string;
  workers?: string;
}

export const command = () =>
  define(
    'worker',
    'Work on the jobs of a Redis queue until interrupted; datasets must lie at the same paths here',
    'stormreel worker --queue redis://queue-host:6379',
  )
    .addOption(new Option('--queue <url>', 'redis://...').env('STORMREEL_QUEUE'))
    .option('--workers <n>', 'child processes; default: one a core')
    .action(
      action<Flags>(async ({ flags, out, signal }) => {
        if (!flags.queue)
          throw new ConfigError('a worker needs a queue that several processes can reach', {
            hint: 'start a Redis server and give its address: stormreel worker --queue redis://HOST:6379; ingest with the same --queue',
          });
        const workers = flags.workers === undefined ? undefined : Number(flags.workers);
        if (workers !== undefined && !(Number.isInteger(workers) && workers > 0))
          throw new ConfigError(`--workers is "${flags.workers}"; expected a whole number of at least 1`, {
            hint: 'e.g. --workers 4',
          });
        await work({ queue: flags.queue, workers, log: out.log, signal });
      }),
    );
