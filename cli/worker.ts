/** `stormreel worker`: decodes for ingests that run elsewhere. */
import { Option } from 'commander';
import { ConfigError } from '../pipeline/errors.js';
import { jsonLog, openTraces, textLog, WORK_KINDS, type WorkKind, work } from '../workers/index.js';
import { action, define, type Output } from './command.js';
import { queueOption } from './queueOption.js';
import { whole } from './whole.js';

interface Flags {
  queue?: string;
  kinds: string;
  concurrency?: string;
  workers?: string;
  metricsPort?: string;
  metricsHost: string;
  logFormat: 'text' | 'json';
}

const MORE = `
Kinds of jobs: ingest (maps into shards, then the manifest; one queue, so that a dataset never waits for a kind that
nobody takes). The steps of "stormreel run" are no such kind: they are commands on the paths and the tensor backend of
one machine and stay with the process that runs the flow, while their ingest is done here.

Datasets must lie at the same paths here as where ingest was called. SIGTERM or Ctrl-C: no new jobs; those in hand are
finished, or handed back after 5 s; a second one ends at once. Traces: OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4318`;

export const command = () =>
  define(
    'worker',
    'Work on the jobs of a Redis queue until interrupted',
    'stormreel worker --queue redis://queue-host:6379 --concurrency 4 --metrics-port 9464',
  )
    .addOption(queueOption())
    .option('--kinds <a,b>', 'kinds of jobs to take', 'ingest')
    .option('--concurrency <n>', 'child processes, each with one job; default: one a core')
    .addOption(new Option('--workers <n>', 'the older name of --concurrency').hideHelp())
    .option(
      '--metrics-port <n>',
      'serve /healthz, /readyz and /metrics (Prometheus) here; 0 for any free port',
    )
    .option('--metrics-host <address>', 'address to serve them on', '127.0.0.1')
    .addOption(
      new Option('--log-format <form>', 'of the log on stderr').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', MORE)
    .action(
      action<Flags>(async ({ flags, out, signal }) => {
        if (!flags.queue)
          throw new ConfigError('a worker needs a queue that several processes can reach', {
            hint: 'start a Redis server and give its address: stormreel worker --queue redis://HOST:6379; ingest with the same --queue',
          });
        const options = { queue: flags.queue, ...workFlags(flags), ...logTo(flags, out) };
        const traces = await openTraces(process.env);
        try {
          const done = await work({ ...options, telemetry: traces?.telemetry, signal });
          out.result(done, `worker ended: ${done.jobs.completed ?? 0} jobs done, ${done.frames} frames`);
        } finally {
          await traces?.close();
        }
        // A child that hangs in a decoder would keep this process alive; its job was handed back.
        setTimeout(() => process.exit(), 300).unref();
      }),
    );

function workFlags({ kinds, workers, concurrency = workers, metricsPort, metricsHost }: Flags) {
  const port = metricsPort === undefined ? undefined : whole('--metrics-port', metricsPort, 0, 65_535);
  return {
    kinds: kindsOf(kinds),
    concurrency: concurrency === undefined ? undefined : whole('--concurrency', concurrency, 1, 1_024),
    health: port === undefined ? undefined : { port, host: metricsHost },
  };
}

function kindsOf(text: string): WorkKind[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !(WORK_KINDS as readonly string[]).includes(name));
  if (unknown.length === 0) return names as WorkKind[];
  throw new ConfigError(`--kinds is "${text}"; a worker takes ${WORK_KINDS.join(' and ')}`, {
    hint: unknown.includes('step')
      ? 'steps of stormreel run stay on the machine where they were planned; leave step out'
      : `e.g. --kinds ${WORK_KINDS[0]}`,
    fields: { unknown },
  });
}

function logTo({ logFormat }: Flags, out: Output) {
  const log = logFormat === 'json' ? jsonLog(out.log) : textLog(out.log);
  return { log: log.line, onJob: log.job };
}
