/** Reads a stormreel.yaml: checked by zod, paths made absolute from the file's own folder. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import type * as z from 'zod';
import { ConfigError } from '../pipeline/errors.js';
import { datasetAddress } from '../pipeline/shards/index.js';
import { RunConfig } from '../schemas/config/index.js';
import { configError } from './command.js';

/** The config with `dataset`, `run`, `ingest.sources`, `labels.file` and `training.init` as absolute paths. */
export async function loadConfig(file: string): Promise<RunConfig> {
  const config = check(RunConfig, await readYaml(file), file);
  const folder = dirname(resolve(file));
  const dataset = datasetAddress(config.dataset, { base: folder });
  if (dataset === resolve(folder, config.run))
    throw new ConfigError(`${file}: dataset and run are the same folder, ${config.run}`, {
      hint: 'give each its own: a dataset serves many runs',
      fields: { folder: resolve(folder, config.run) },
    });
  return {
    ...config,
    dataset,
    run: resolve(folder, config.run),
    ingest: {
      ...config.ingest,
      sources: config.ingest.sources.map((s) => (isUrl(s) ? s : resolve(folder, s))),
    },
    labels: { ...config.labels, file: config.labels.file && resolve(folder, config.labels.file) },
    training: {
      ...config.training,
      ...(config.training.init && { init: resolve(folder, config.training.init) }),
    },
  };
}

/** Parses `value` with `schema`; a misfit is a ConfigError that names each field. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw configError(parsed.error, where);
}

async function readYaml(file: string): Promise<unknown> {
  try {
    return parse(await readFile(file, 'utf8'));
  } catch (cause) {
    if (cause instanceof YAMLParseError)
      throw new ConfigError(`cannot parse ${file}: ${cause.message}`, {
        hint: 'correct the YAML at the line named above',
        cause,
      });
    throw new ConfigError(`cannot read ${file}: ${(cause as Error).message}`, {
      hint: 'give the path of a stormreel.yaml; examples/era5_week/stormreel.yaml is one to start from',
      cause,
    });
  }
}

/** Has a scheme: no path to make absolute. */
export const isUrl = (source: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(source);
