/**
 * Weights of a backbone out of a Keras file.
 *
 *   const { tensors, report } = await importKeras('densenet121_weights_notop.h5', { kind: 'densenet121' });
 *   await writeSafetensors('densenet121.safetensors', { tensors, metadata: { ... } });
 */
import { ModelMismatchError } from '../errors.js';
import { inputBands } from '../models/index.js';
import type { OnProgress } from '../progress.js';
import type { StoredTensor } from '../tensor/index.js';
import { withKerasFile } from './file.js';
import { type KerasBackbone, type KerasLeaf, layoutOf, PREFIX } from './layout.js';
import { type Matched, matchWeights } from './match.js';

export interface ImportOptions {
  kind: KerasBackbone;
  /** Bands that the first kernel shall read; default: the 3 of the file. */
  bands?: number;
  /** Default: the whole backbone. */
  layout?: readonly KerasLeaf[];
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** Every leaf of the backbone and every weight of the file, under what became of it. */
export interface ImportReport {
  taken: string[];
  missing: string[];
  /** Paths in the file. */
  extra: string[];
  otherShape: { name: string; found: number[]; expected: number[] }[];
  /** How the first kernel was brought to other than 3 bands; null where it was not. */
  bands: string | null;
  /** The file names no layers; they were told by their order. */
  byOrder: boolean;
}

export interface Imported {
  /** By name in a model, `encoder/backbone/...`. */
  tensors: Map<string, StoredTensor>;
  report: ImportReport;
}

/** @throws ModelMismatchError for a file that is no Keras file, or holds not all of the backbone; its fields are the report. */
export async function importKeras(path: string, options: ImportOptions): Promise<Imported> {
  const { kind, bands, layout = layoutOf(kind), onProgress, signal } = options;
  return withKerasFile(path, async ({ weights, read }) => {
    const matched = matchWeights(layout, weights);
    refuseMisfit(path, kind, matched);
    const tensors = new Map<string, StoredTensor>();
    for (const [done, { leaf, weight }] of matched.taken.entries()) {
      signal?.throwIfAborted();
      onProgress?.({ stage: 'weights', done, total: matched.taken.length, unit: 'leaves' });
      tensors.set(PREFIX + leaf.name, { shape: [...leaf.shape], values: await read(weight.path) });
    }
    const first = PREFIX + layout[0].name;
    const kernel = tensors.get(first)!;
    const changed = bands !== undefined && bands !== kernel.shape[2] ? inputBands(kernel, bands) : null;
    if (changed) tensors.set(first, changed.kernel);
    return { tensors, report: { ...reportOf(matched), bands: changed?.words ?? null } };
  });
}

function reportOf({ taken, missing, extra, otherShape, byOrder }: Matched): ImportReport {
  return {
    taken: taken.map(({ leaf }) => leaf.name),
    missing: missing.map(({ name }) => name),
    extra: extra.map(({ path }) => path),
    otherShape: otherShape.map(({ leaf, weight }) => ({
      name: leaf.name,
      found: weight.shape,
      expected: [...leaf.shape],
    })),
    bands: null,
    byOrder,
  };
}

const SHOWN = 3;

function refuseMisfit(path: string, kind: string, matched: Matched): void {
  const { taken, missing, otherShape, twice } = matched;
  if (!missing.length && !otherShape.length && !twice.length) return;
  const report = reportOf(matched);
  const parts = [
    some(
      missing.map(({ name, layers }) => `${name} (${layers[0]})`),
      'are missing',
    ),
    some(
      otherShape.map(
        ({ leaf, weight }) => `${leaf.name} [${weight.shape}] ${weight.dtype}, not [${leaf.shape}] of floats`,
      ),
      'have another shape',
    ),
    some(
      twice.map(({ leaf, weights }) => `${leaf.name} (${weights.map((w) => w.path).join(', ')})`),
      'are there more than once',
    ),
  ].filter((part) => part !== null);
  const nothing = taken.length + otherShape.length + twice.length === 0;
  throw new ModelMismatchError(
    nothing
      ? `cannot import ${path}: ${report.extra.length ? `none of its ${report.extra.length} weights has the name of a layer of ${kind}` : 'it holds no weights'}`
      : `cannot import ${path} as ${kind}: ${taken.length} leaves are there; ${parts.join('; ')}`,
    {
      hint: nothing
        ? `give weights of keras.applications' ${kind}, e.g. saved by model.save_weights("model.weights.h5")`
        : 'save the model again whole; a renamed layer or another depth does not fit',
      fields: { path, ...report, twice: twice.map(({ leaf }) => leaf.name) },
    },
  );
}

function some(names: readonly string[], words: string): string | null {
  if (names.length === 0) return null;
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(', ')}${more} ${words}`;
}
