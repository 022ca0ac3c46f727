/** `stormreel queue status|retry|drain|clean`: how a queue stands. */
import { ConfigError } from '../pipeline/errors.js';
import { type Action, manage, type QueueStatus } from '../workers/index.js';
import { action, define } from './command.js';
import { queueOption } from './queueOption.js';

const SUMMARY: Record<Action, string> = {
  status: 'Counts of jobs and the reasons of failed ones',
  retry: 'Try failed jobs again',
  drain: 'Take out all jobs that nobody has begun',
  clean: 'Forget finished and failed jobs',
};

export const command = () => {
  const queue = define('queue', 'Look after a queue', 'stormreel queue status dataset');
  for (const name of Object.keys(SUMMARY) as Action[]) queue.addCommand(one(name));
  return queue;
};

const one = (name: Action) =>
  define(name, SUMMARY[name], `stormreel queue ${name} dataset`)
    .argument('[folder]', 'dataset or run whose queue it is')
    .addOption(queueOption())
    .action(
      action<{ queue?: string }>(async ({ args: [folder], flags, out }) => {
        const found = await manage(placeOf(folder, flags.queue), name);
        out.result(found, found.map(text).join('\n'));
      }),
    );

/** The folder or the address; ConfigError when there is neither. */
export function placeOf(folder: string | undefined, queue: string | undefined): string {
  const place = folder ?? queue;
  if (place) return place;
  throw new ConfigError('which queue?', {
    hint: 'name the folder of a dataset or run, or --queue redis://HOST:6379',
  });
}

function text({ name, counts, failed }: QueueStatus): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  const jobs = some.map(([state, count]) => `${count} ${state}`).join(', ') || 'no jobs';
  return [
    `${name}: ${jobs}`,
    ...failed.map(({ id, kind, reason }) => `  failed ${kind} ${id}: ${reason}`),
  ].join('\n');
}
