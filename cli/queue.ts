/** `stormreel queue status|retry|drain|clean`: how a queue stands. */
import { ConfigError } from '../pipeline/errors.js';
import { type Action, manage, type QueueStatus } from '../workers/index.js';
import { action, define } from './command.js';
import { duration } from './progress.js';
import { queueOption } from './queueOption.js';

const SUMMARY: Record<Action, string> = {
  status: 'Counts of jobs by state and kind, age of the oldest, reasons of failed ones',
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
        out.result(found, found.map((status) => text(status, DONE[name])).join('\n'));
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

const DONE: Record<Action, string> = {
  status: '',
  retry: 'tried again',
  drain: 'taken out; the ingest that planned them adds them again if it still runs',
  clean: 'forgotten',
};

function text(
  { name, counts, kinds, oldestWaitingMs, workers, reasons, changed }: QueueStatus,
  done: string,
) {
  const waits = oldestWaitingMs === null ? '' : `, the oldest for ${duration(oldestWaitingMs / 1_000)}`;
  const takes =
    workers === null ? '' : `; ${workers} ${workers === 1 ? 'process takes' : 'processes take'} jobs`;
  return [
    ...(changed === null ? [] : [`${changed} ${changed === 1 ? 'job' : 'jobs'} ${done}`]),
    `${name}: ${states(counts) || 'no jobs'}${waits}${takes}`,
    ...Object.entries(kinds).map(([kind, byState]) => `  ${kind}: ${states(byState)}`),
    ...reasons.map(({ reason, count }) => `  failed ${count} x ${reason}`),
    ...(counts.waiting > 0 && workers === 0
      ? ['  nobody takes them: start stormreel worker --queue URL']
      : []),
  ].join('\n');
}

const states = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
