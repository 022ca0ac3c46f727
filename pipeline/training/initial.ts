/**
 * Weights to start from (transfer learning): of a run, or a file that `model import-keras` wrote. The encoder's leaves are
 * taken by name; the head, and parts of the encoder that the file does not have, start as ever.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelMismatchError, SourceChangedError } from '../errors.js';
import { inputBands, type Model } from '../models/index.js';
import type { Random } from '../random.js';
import { dispose, leaves, mapTree, type ParameterTree, type StoredTensor, tensor } from '../tensor/index.js';
import { decodeSafetensors } from './safetensors.js';

export interface InitialWeights {
  path: string;
  sha256: string;
  /** Leaves by name in a model; one a member of the run, or a single one. */
  members: Map<string, StoredTensor>[];
}

/** What became of a model's start values. */
export interface StartReport {
  path: string;
  sha256: string;
  /** Leaves of the encoder that come from the file, and those that start as ever. */
  taken: string[];
  fresh: string[];
  /** Leaves of the file that the model's encoder does not have. */
  extra: string[];
  /** How the first kernel was brought to the number of channels; null where they are the same. */
  bands: string | null;
}

/**
 * `path`: a run's folder or a safetensors file.
 * @throws ModelMismatchError for what is neither; SourceChangedError where `sha256` is given and is not the file's.
 */
export async function readInitial(path: string, sha256?: string): Promise<InitialWeights> {
  const file = await fileOf(path);
  const bytes = await readFile(file).catch((cause) => {
    throw unreadable(path, cause);
  });
  const found = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== undefined && sha256 !== found)
    throw new SourceChangedError(
      `cannot start from ${file}: its sha256 is ${found}; training began from ${sha256}`,
      { hint: 'bring the old file back, or train anew', fields: { path: file, found, expected: sha256 } },
    );
  const { tensors } = decodeSafetensors(bytes, file);
  return { path, sha256: found, members: membersOf(tensors) };
}

async function fileOf(path: string): Promise<string> {
  const found = await stat(path).catch((cause) => {
    throw unreadable(path, cause);
  });
  return found.isDirectory() ? join(path, 'model.safetensors') : path;
}

function membersOf(tensors: Map<string, StoredTensor>): Map<string, StoredTensor>[] {
  const members: Map<string, StoredTensor>[] = [];
  for (const [name, stored] of tensors) {
    const [, member, rest] = /^member(\d{1,4})\/(.*)$/.exec(name) ?? [null, '0', name];
    members[Number(member)] ??= new Map();
    members[Number(member)].set(rest!, stored);
  }
  return members.filter((member) => member !== undefined);
}

export interface StartOptions {
  random: Random;
  /** The model's first logits lie near it. */
  logit: number;
  initial: InitialWeights | null;
  /** Position in the ensemble: each takes its own of the run's members, over and over. */
  member: number;
}

/** Start values of a member; the caller's to free. */
export function startValues(
  model: Model,
  { random, logit, initial, member }: StartOptions,
): { start: ParameterTree; report: StartReport | null } {
  const start = model.init(random, { logit });
  if (!initial) return { start, report: null };
  try {
    const source = initial.members[member % initial.members.length] ?? new Map();
    const found = taken(model, start, source);
    const { path, sha256 } = initial;
    const report = { path, sha256, ...found.report };
    refusePoor(report, found.otherShape);
    const filled = mapTree(start, (own, name) => {
      const stored = found.values.get(name);
      return stored ? tensor(stored.values, stored.shape) : own.clone();
    });
    return { start: filled, report };
  } finally {
    dispose(start);
  }
}

const ENCODER = 'encoder/';

function taken(model: Model, start: ParameterTree, source: ReadonlyMap<string, StoredTensor>) {
  const report = {
    taken: [] as string[],
    fresh: [] as string[],
    extra: [] as string[],
    bands: null as string | null,
  };
  const values = new Map<string, StoredTensor>();
  const otherShape: string[] = [];
  const own = leaves(start).filter(({ name }) => name.startsWith(ENCODER));
  for (const {
    name,
    tensor: { shape },
  } of own) {
    const stored = source.get(name);
    const bands = stored && name === model.inputKernel && sameButBands(stored.shape, shape);
    if (!stored) report.fresh.push(name);
    else if (stored.shape.join() === shape.join()) values.set(name, stored);
    else if (bands) {
      const { kernel, words } = inputBands(stored, shape[2]!);
      values.set(name, kernel);
      report.bands = words;
    } else otherShape.push(`${name}: [${stored.shape}], expected [${shape}]`);
  }
  const names = new Set(own.map(({ name }) => name));
  report.taken = [...values.keys()];
  report.extra = [...source.keys()].filter((name) => name.startsWith(ENCODER) && !names.has(name));
  return { report, values, otherShape };
}

const sameButBands = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === 4 && b.length === 4 && a.every((n, i) => i === 2 || n === b[i]);

/** A backbone of which only a part is there is another backbone. */
function refusePoor(report: StartReport, otherShape: readonly string[]): void {
  const { path, taken, fresh } = report;
  const torn = fresh.filter((name) => name.startsWith('encoder/backbone/'));
  const started = taken.some((name) => name.startsWith('encoder/backbone/'));
  if (taken.length && otherShape.length === 0 && !(started && torn.length)) return;
  const found = taken.length
    ? [
        ...(otherShape.length
          ? [`of another shape are ${otherShape.slice(0, 3).join('; ')}${more(otherShape)}`]
          : []),
        ...(torn.length ? [`missing are ${torn.slice(0, 3).join(', ')}${more(torn)}`] : []),
      ].join('; ')
    : 'it has no leaf of the encoder that is to train';
  throw new ModelMismatchError(`cannot start from ${path}: ${found}`, {
    hint: 'give weights of the same model.encoder, e.g. of another run or from stormreel model import-keras',
    fields: { ...report, otherShape },
  });
}

const more = (names: readonly string[]): string => (names.length > 3 ? ` and ${names.length - 3} more` : '');

function unreadable(path: string, cause: NodeJS.ErrnoException): ModelMismatchError {
  const found = cause.code === 'ENOENT' ? 'it is not there' : cause.message;
  return new ModelMismatchError(`cannot start from ${path}: ${found}`, {
    hint: 'give the folder of a finished run, or a file that stormreel model import-keras wrote',
    cause,
    fields: { path },
  });
}

/** A line for the log: what was taken, what starts as ever, by part. */
export function startText({ path, taken, fresh, bands }: StartReport): string {
  const parts = [...new Set(fresh.map((name) => name.split('/').slice(0, 2).join('/')))];
  const rest = parts.length ? `; ${parts.join(', ')} and the head start anew` : '; the head starts anew';
  return `start: ${taken.length} leaves of the encoder from ${path}${rest}${bands ? `; ${bands}` : ''}`;
}
