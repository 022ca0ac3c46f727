/** `stormreel model import-keras`: weights from elsewhere as a file that `train --init` takes. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Option } from 'commander';
import { BACKBONES, type ImportReport, importKeras, type KerasBackbone } from '../pipeline/keras/index.js';
import { writeSafetensors } from '../pipeline/training/index.js';
import { Count } from '../schemas/config/index.js';
import { action, define } from './command.js';
import { check } from './config.js';

interface Flags {
  out: string;
  as: KerasBackbone;
  bands?: string;
}

export const command = () =>
  define(
    'model',
    'Weights of models',
    'stormreel model import-keras densenet121_notop.h5 --out densenet121.safetensors',
  ).addCommand(importCommand());

const importCommand = () =>
  define(
    'import-keras',
    'Weights of a backbone from a file of Keras (.h5, .weights.h5 or .keras), for train --init',
    'stormreel model import-keras densenet121_notop.h5 --out densenet121.safetensors',
  )
    .argument('<file>', 'what Keras saved: a whole model or its weights, with or without its top')
    .requiredOption('--out <file>', 'safetensors file to write')
    .addOption(
      new Option('--as <backbone>', 'which backbone it holds').choices(BACKBONES).default(BACKBONES[0]),
    )
    .option('--bands <n>', 'bands of your maps; the first kernel is brought to them (training does it too)')
    .action(
      action<Flags>(async ({ args: [file], flags, out, signal }) => {
        const bands = flags.bands === undefined ? undefined : check(Count, Number(flags.bands), '--bands');
        const { tensors, report } = await importKeras(file, {
          kind: flags.as,
          bands,
          onProgress: out.onProgress,
          signal,
        });
        const source = { source: basename(file), sourceSha256: await sha256(file) };
        const metadata = { format: 'stormreel 1', backbone: flags.as, ...source };
        await writeSafetensors(resolve(flags.out), { tensors, metadata });
        out.result({ out: resolve(flags.out), ...source, ...report }, told(flags, report));
      }),
    );

function told({ as, out }: Flags, { taken, extra, bands, byOrder }: ImportReport): string {
  const parts = [
    `${out}: all ${taken.length} leaves of ${as}`,
    byOrder ? 'told by their order, since the file names no layers' : null,
    extra.length ? `${extra.length} other weights left out (${shown(extra)})` : null,
    bands,
  ];
  return parts.filter((part) => part !== null).join('; ');
}

const SHOWN = 3;
const shown = (paths: readonly string[]): string =>
  paths.slice(0, SHOWN).join(', ') + (paths.length > SHOWN ? ', ...' : '');

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
