/** `stormreel run CONFIG`: ingest, train, label, anomaly, report as one resumable flow of jobs. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import type { BackendName } from '../pipeline/tensor/index.js';
import type { RunConfig } from '../schemas/config/index.js';
import { action, define } from './command.js';
import { loadConfig } from './config.js';
import { queueOption } from './queueOption.js';

interface Flags {
  queue?: string;
  workers?: string;
  backend?: BackendName;
  from?: string;
}

/** Written out, so that this process need not load TensorFlow.js. */
const BACKENDS: readonly BackendName[] = ['tensorflow', 'webgpu', 'wasm', 'cpu'];

export const command = () =>
  define(
    'run',
    'Ingest, train, label, score and report as one config says; goes on where it stopped',
    'stormreel run examples/era5_week/stormreel.yaml',
  )
    .argument('[config]', 'config file', 'stormreel.yaml')
    .addOption(queueOption('redis://... instead of the queue inside the process'))
    .option('--workers <n>', 'decoding processes')
    .addOption(new Option('--backend <name>', 'tensor backend').choices(BACKENDS).env('STORMREEL_BACKEND'))
    .option('--from <step>', 'do this step and the later ones again')
    .action(
      action<Flags>(async ({ args: [file], flags, out, signal }) => {
        const config = await loadConfig(file);
        const { runFlow } = await import('../workers/index.js');
        await mkdir(config.run, { recursive: true });
        const report = join(config.run, 'report.html');
        await runFlow({
          folder: config.run,
          queue: flags.queue,
          steps: flowSteps(resolve(file), config, flags),
          from: flags.from,
          onProgress: out.onProgress,
          log: out.log,
          signal,
        });
        out.result({ run: config.run, dataset: config.dataset, report }, report);
      }),
    );

/** The steps in order. A finished step is left out when its own config and all that comes before it are the same. */
export function flowSteps(file: string, config: RunConfig, flags: Flags) {
  const backend = flags.backend ? ['--backend', flags.backend] : [];
  const queue = [
    ...(flags.queue ? ['--queue', flags.queue] : []),
    ...(flags.workers ? ['--workers', flags.workers] : []),
  ];
  const at = ['--config', file];
  const { dataset, run } = config;
  const steps: { name: string; command: string[]; depends: unknown; always?: boolean }[] = [
    // Ingest looks at the sources each time and does nothing where nothing has changed.
    {
      name: 'ingest',
      command: ['ingest', ...at, ...queue],
      depends: [config.ingest, config.labels],
      always: true,
    },
    {
      name: 'train',
      command: ['train', dataset, '--out', run, '--resume', ...at, ...backend],
      depends: [config.split, config.model, config.training],
    },
    {
      name: 'label',
      command: [
        'label',
        dataset,
        '--model',
        run,
        '--out',
        join(run, 'predictions.parquet'),
        ...at,
        ...backend,
      ],
      depends: [config.labelling],
    },
    {
      name: 'anomaly',
      command: ['anomaly', 'fit', dataset, '--out', run, ...at, ...backend],
      depends: [config.anomaly],
    },
    {
      name: 'report',
      command: ['report', run, ...at],
      depends: [config.title, config.about, config.attribution],
    },
  ];
  let chain = '';
  return steps.map(({ name, command, depends, always = false }) => {
    chain = createHash('sha256')
      .update(chain)
      .update(JSON.stringify([name, depends, flags.backend ?? null]))
      .digest('hex');
    return { name, command, always, dataset, inputHash: chain };
  });
}
