/** dataset.json: created once, then only compared. */
import { mkdir, readFile } from 'node:fs/promises';
import { DatasetDescription } from '../../schemas/records/index.js';
import { ConfigError, CorruptShardError } from '../errors.js';
import { createExclusive } from './files.js';
import { layout } from './layout.js';

/** Creates dataset.json, or checks that the one there says the same. ConfigError names the parts that differ. */
export async function settleDescription(dir: string, description: DatasetDescription): Promise<void> {
  for (const folder of [layout.plan(dir), layout.commits(dir), layout.shards(dir)])
    await mkdir(folder, { recursive: true });
  const text = `${JSON.stringify(description, null, 2)}\n`;
  if (await createExclusive(layout.description(dir), text)) return;
  const before = await readDescription(dir);
  const keys = Object.keys(description) as (keyof DatasetDescription)[];
  const differ = keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(description[key]));
  if (differ.length === 0) return;
  throw new ConfigError(`${dir} holds a dataset with other ${differ.join(', ')}`, {
    hint: 'ingest into a new folder with --out, or give the same sources and grid as before',
    fields: { differ },
  });
}

/** The description of the dataset in `dir`; ConfigError when there is none. */
export async function readDescription(dir: string): Promise<DatasetDescription> {
  let text: string;
  try {
    text = await readFile(layout.description(dir), 'utf8');
  } catch (cause) {
    throw new ConfigError(`${dir} is not a dataset: it has no dataset.json`, {
      hint: `make one: stormreel ingest SOURCE --out ${dir}`,
      cause,
    });
  }
  const parsed = DatasetDescription.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new CorruptShardError(`${layout.description(dir)} is not a dataset description of format version 1`, {
    hint: 'ingest the sources again into a new folder',
    cause: parsed.error,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
