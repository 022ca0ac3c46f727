/** `stormreel watch`: labels maps as they come. */
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { ConfigError } from '../pipeline/errors.js';
import { BACKEND_NAMES, type BackendName, openBackend } from '../pipeline/tensor/index.js';
import { Duration, spanMs } from '../schemas/config/index.js';
import { type WatchMapsOptions, type WatchSummary, watchMaps } from '../workers/live/index.js';
import { action, define, type Output } from './command.js';
import { check } from './config.js';
import type { IngestFlags } from './ingestFlags.js';
import { queueOption } from './queueOption.js';
import { sourceConfig, withSourceFlags } from './sourceFlags.js';

interface Flags extends IngestFlags {
  dataset: string;
  model: string;
  live?: string;
  settle: string;
  every: string;
  grace?: string;
  once?: boolean;
  jsonl?: boolean;
  queue?: string;
  workers: string;
  backend?: BackendName;
}

export const command = () =>
  withSourceFlags(watch()).action(
    action<Flags>(async ({ args: sources, flags, out, signal }) => {
      const options = await settings(sources, flags);
      await openBackend({ backend: flags.backend, log: out.log });
      const summary = await watchMaps({
        ...options,
        onLine: (line) => {
          if (flags.jsonl && line.kind === 'label') process.stdout.write(`${JSON.stringify(line)}\n`);
        },
        log: out.log,
        signal,
      });
      if (flags.once) signal.throwIfAborted();
      tell(summary, flags, out);
    }),
  );

const watch = () =>
  define(
    'watch',
    'Label new maps as they come: each is ingested, labelled and scored within seconds; stop it and start it as you like',
    'stormreel watch incoming --dataset dataset --model run',
  )
    .argument('<source...>', 'folders or quoted globs where maps arrive')
    .requiredOption('--dataset <folder>', 'dataset that the maps are added to; made where there is none')
    .requiredOption(
      '--model <run>',
      'folder of a run that `stormreel train` wrote; scored too if it has an anomaly model',
    )
    .option('--live <folder>', 'where the record is kept; default: live in the run')
    .option('--settle <span>', 'a file is read when it has not changed for so long', '2s')
    .option('--every <span>', 'folders are looked at so often, also where the system tells no changes', '1s')
    .option(
      '--grace <span>',
      'how much later than one step after the last a map may come before it is missing; default: half a step',
    )
    .option('--once', 'label what is there and end')
    .option('--jsonl', 'a line of JSON on stdout for each frame, as it is labelled')
    .addOption(queueOption('redis://... instead of the queue inside the process'))
    .option('--workers <n>', 'decoding processes; 0 leaves the work to workers elsewhere', '1')
    .addOption(
      new Option('--backend <name>', 'tensor backend').choices(BACKEND_NAMES).env('STORMREEL_BACKEND'),
    );

/** How the run's own maps were read, unless flags say otherwise. */
async function settings(sources: string[], flags: Flags): Promise<WatchMapsOptions> {
  const runDir = resolve(flags.model);
  const config = await sourceConfig(sources, runDir, flags, { onBadFrame: 'skip' });
  const workers = Number(flags.workers);
  if (!Number.isInteger(workers) || workers < 0 || (workers === 0 && !flags.queue))
    throw new ConfigError(
      `--workers is "${flags.workers}"; expected a whole number, and 0 only with --queue`,
      { hint: 'e.g. --workers 2', fields: { workers: flags.workers } },
    );
  return {
    config,
    dataset: flags.dataset,
    runDir,
    live: flags.live ?? join(runDir, 'live'),
    settleMs: span('--settle', flags.settle),
    everyMs: Math.max(10, span('--every', flags.every)),
    graceMs: flags.grace === undefined ? undefined : span('--grace', flags.grace),
    once: flags.once,
    queue: flags.queue,
    workers,
  };
}

const span = (flag: string, text: string): number => spanMs(check(Duration, text, flag));

function tell(summary: WatchSummary, flags: Flags, out: Output): void {
  const { live, frames, labelled, bad, late, gaps, rejected, latency, tables } = summary;
  const speed = latency
    ? `, ${latency.p50.toFixed(2)} s from a settled file to its label (95 %: ${latency.p95.toFixed(2)} s)`
    : '';
  const text = [
    `${live}: ${frames} frames in the record, ${labelled} of them now${speed}`,
    `${bad} bad, ${late} late, ${gaps} gaps, ${rejected} files left out`,
    ...(tables ? [`${tables.out}: ${tables.rows} frames, ${tables.events} events`] : []),
  ].join('\n');
  if (flags.jsonl && !out.json) out.log(text);
  else out.result(summary, text);
}
