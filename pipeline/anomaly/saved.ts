/** The anomaly model of a run: anomaly/model.json and anomaly/model.safetensors. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelMismatchError } from '../errors.js';
import { Random } from '../random.js';
import { dispose, fillTree, mapTree, readTree, type StoredTensor, tidy, zerosLike } from '../tensor/index.js';
import { readSafetensors, writeSafetensors } from '../training/index.js';
import { autoencoder } from './autoencoder.js';
import { type AnomalyModel, AnomalyRecord, type PrincipalComponents } from './record.js';

const NETWORK = 'autoencoder/';
const COMPONENTS = 'components/';

const folderOf = (runDir: string): string => join(runDir, 'anomaly');

/** Each file as a whole; the weights first, so that model.json means a complete model. */
export async function saveAnomaly(runDir: string, model: AnomalyModel): Promise<void> {
  const { parameters, components, ...record } = model;
  const folder = folderOf(runDir);
  await mkdir(folder, { recursive: true });
  const tensors = new Map<string, StoredTensor>();
  for (const [name, stored] of await readTree(parameters)) tensors.set(`${NETWORK}${name}`, stored);
  const { count, mean, scale, axes } = components;
  tensors.set(`${COMPONENTS}mean`, { shape: [mean.length], values: mean });
  tensors.set(`${COMPONENTS}scale`, { shape: [mean.length], values: scale });
  tensors.set(`${COMPONENTS}axes`, { shape: [count, mean.length], values: axes });
  await writeSafetensors(join(folder, 'model.safetensors'), { tensors, metadata: { format: 'stormreel 1' } });
  await writeRecord(join(folder, 'model.json'), AnomalyRecord.parse(record));
}

/**
 * A backend must be open; `parameters` are the caller's to free.
 * @throws ModelMismatchError for files that are missing or damaged, and for weights of another form.
 */
export async function loadAnomaly(runDir: string): Promise<AnomalyModel> {
  const folder = folderOf(runDir);
  const record = await loadAnomalyRecord(runDir);
  const path = join(folder, 'model.safetensors');
  const { tensors } = await readSafetensors(path).catch((cause) => {
    if (cause.code === 'ENOENT') throw missing(path, cause);
    throw cause;
  });
  const part = (prefix: string) =>
    new Map(
      [...tensors]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, stored]) => [name.slice(prefix.length), stored]),
    );
  const components = componentsFrom(part(COMPONENTS), record, path);
  const net = autoencoder(record.config, record.features.count);
  const like = tidy(() => mapTree(net.init(Random.from(0)), (tensor) => zerosLike(tensor)));
  try {
    return { ...record, components, parameters: fillTree(like, part(NETWORK)) };
  } finally {
    dispose(like);
  }
}

/** anomaly/model.json alone. */
export async function loadAnomalyRecord(runDir: string): Promise<AnomalyRecord> {
  const path = join(folderOf(runDir), 'model.json');
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw missing(path, cause);
  });
  const parsed = AnomalyRecord.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(top)'}: ${issue.message}`);
  throw new ModelMismatchError(`cannot read ${path}: ${issues.join('; ')}`, {
    hint: 'it was written by another version or edited; fit again: stormreel anomaly fit SOURCE --out RUN',
    fields: { path, issues },
  });
}

function componentsFrom(
  stored: Map<string, StoredTensor>,
  { features: { count } }: AnomalyRecord,
  path: string,
): PrincipalComponents {
  const [mean, scale, axes] = ['mean', 'scale', 'axes'].map((name) => stored.get(name)?.values);
  const width = mean?.length ?? 0;
  const fits = scale?.length === width && axes?.length === count * width;
  if (fits && mean && scale && axes) return { count, mean, scale, axes };
  throw new ModelMismatchError(`cannot read ${path}: its principal components are not ${count} axes`, {
    hint: 'model.json and model.safetensors are of two models; fit again',
    fields: { path, count, found: [...stored].map(([name, { shape }]) => `${name} [${shape}]`) },
  });
}

async function writeRecord(path: string, record: AnomalyRecord): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(`${JSON.stringify(record, null, 1)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function missing(path: string, cause: unknown): ModelMismatchError {
  return new ModelMismatchError(`cannot read the anomaly model: ${path} is not there`, {
    hint: 'fit it first: stormreel anomaly fit SOURCE --out RUN',
    cause,
    fields: { path },
  });
}
