/** `stormreel backend install|check`: the native TensorFlow runtime, and what computes here how fast. */
import { availableParallelism } from 'node:os';
import { Option } from 'commander';
import { ConfigError } from '../pipeline/errors.js';
import {
  BACKEND_NAMES,
  type BackendInfo,
  type BackendName,
  describeBackend,
  installNative,
  measureBackend,
  openBackend,
  type Speed,
} from '../pipeline/tensor/index.js';
import { action, define } from './command.js';

interface InstallFlags {
  gpu?: boolean;
  cpu?: boolean;
  ifMissing?: boolean;
}
interface CheckFlags {
  backend?: BackendName;
  threads?: string;
}

export const command = () =>
  define('backend', 'Install or check the tensor backend', 'stormreel backend check')
    .addCommand(install())
    .addCommand(check());

const install = () =>
  define(
    'install',
    'Install native TensorFlow into the cache (Linux x64, needs Python with pip and g++)',
    'stormreel backend install --gpu',
  )
    .addOption(new Option('--cpu', 'CPU only, 274 MB to download (default)').conflicts('gpu'))
    .addOption(new Option('--gpu', 'with CUDA 12, about 3 GB to download; also runs without a GPU'))
    .option('--if-missing', 'leave an installation that is there as it is')
    .action(
      action<InstallFlags>(async ({ flags, out, signal }) => {
        const variant = flags.gpu ? 'gpu' : 'cpu';
        const installed = await installNative({
          variant,
          force: !flags.ifMissing,
          onProgress: out.onProgress,
          signal,
        });
        const { folder, fresh } = installed;
        out.result(
          installed,
          `${fresh ? 'installed' : 'already there'}: native TensorFlow (${variant}) in ${folder}`,
        );
      }),
    );

const check = () =>
  define(
    'check',
    'Open the backend, check its gradients, measure it',
    'stormreel backend check --backend wasm',
  )
    .addOption(
      new Option('--backend <name>', 'check this one').choices(BACKEND_NAMES).env('STORMREEL_BACKEND'),
    )
    .option('--threads <count>', `default all of this machine (${availableParallelism()})`)
    .action(
      action<CheckFlags>(async ({ flags, out }) => {
        const threads = threadCount(flags.threads);
        const info = await openBackend({ backend: flags.backend, threads });
        const gflops = measureBackend();
        out.result({ ...info, gflops }, text(info, gflops));
      }),
    );

function threadCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new ConfigError(`--threads is "${text}"; expected a whole number of at least 1`, {
    hint: `leave it out for all of this machine (${availableParallelism()})`,
  });
}

function text(info: BackendInfo, { conv, convTraining, matMul }: Speed): string {
  const versions = Object.entries(info.versions).map(([name, version]) => `${name} ${version}`);
  return [
    describeBackend(info),
    `versions: ${versions.join(', ')}`,
    `gradient self-check: error ${info.selfCheckError}`,
    `convolution: ${conv.toFixed(0)} GFLOPS, with gradients ${convTraining.toFixed(0)}`,
    `matrix product: ${matMul.toFixed(0)} GFLOPS`,
  ].join('\n');
}
