/** A model in its run folder: model.json and model.safetensors, members under `member0/...`. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelMismatchError } from '../errors.js';
import { buildModel } from '../models/index.js';
import { Random } from '../random.js';
import { dispose, fillTree, mapTree, type ParameterTree, tidy, zerosLike } from '../tensor/index.js';
import { stored } from './checkpoint.js';
import { ModelRecord, type TrainedModel } from './record.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

/** Writes both files, each as a whole; the weights first, so that model.json means a complete model. */
export async function saveTrained(runDir: string, trained: TrainedModel): Promise<void> {
  await mkdir(runDir, { recursive: true });
  const tensors = await stored(membersTree(trained.members));
  await writeSafetensors(join(runDir, 'model.safetensors'), { tensors, metadata: { format: 'stormreel 1' } });
  await saveRecord(runDir, trained);
}

/** Writes model.json alone, e.g. after calibration. */
export async function saveRecord(runDir: string, trained: ModelRecord): Promise<void> {
  const { members: _, ...record } = trained as TrainedModel;
  const path = join(runDir, 'model.json');
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(`${JSON.stringify(ModelRecord.parse(record), null, 1)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/**
 * The model of a run. A backend must be open.
 * @throws ModelMismatchError for files that are missing or damaged, and for weights of another form, leaf by leaf.
 */
export async function loadTrained(runDir: string): Promise<TrainedModel> {
  const record = await loadRecord(runDir);
  const path = join(runDir, 'model.safetensors');
  const { tensors } = await readSafetensors(path).catch((cause) => {
    if (cause.code === 'ENOENT') throw missing(path, cause);
    throw cause;
  });
  const model = buildModel(record.config, record.shape);
  const like = tidy(() =>
    membersTree(record.seeds.map(() => mapTree(model.init(Random.from(0)), (tensor) => zerosLike(tensor)))),
  );
  try {
    const tree = fillTree(like, tensors) as Record<string, ParameterTree>;
    return { ...record, members: record.seeds.map((_, i) => tree[`member${i}`]) };
  } finally {
    dispose(like);
  }
}

/** model.json alone. */
export async function loadRecord(runDir: string): Promise<ModelRecord> {
  const path = join(runDir, 'model.json');
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw missing(path, cause);
  });
  const parsed = ModelRecord.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(top)'}: ${issue.message}`);
  throw new ModelMismatchError(`cannot read ${path}: ${issues.join('; ')}`, {
    hint: 'it was written by another version or edited; train again',
    fields: { path, issues },
  });
}

const membersTree = (members: readonly ParameterTree[]): ParameterTree =>
  Object.fromEntries(members.map((member, i) => [`member${i}`, member]));

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function missing(path: string, cause: unknown): ModelMismatchError {
  return new ModelMismatchError(`cannot read the model: ${path} is not there`, {
    hint: 'give the folder of a finished run: stormreel train DATASET --out RUN',
    cause,
    fields: { path },
  });
}
