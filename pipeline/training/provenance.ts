/** What a run was made from: run/config.json and run/split.json, written before training starts. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { RunConfig, SplitConfig } from '../../schemas/config/index.js';
import { PARTS } from '../../schemas/records/index.js';
import { ConfigError } from '../errors.js';
import type { Split } from '../sequences/index.js';

/** run/config.json; paths are absolute. */
export const Provenance = z.strictObject({
  config: RunConfig,
  dataset: z.strictObject({ path: z.string(), hash: z.string(), frames: z.int(), bad: z.int() }),
  labels: z.strictObject({ source: z.string(), hash: z.string(), rule: z.string() }),
  split: z.strictObject({ hash: z.string(), leaky: z.boolean(), notes: z.array(z.string()) }),
  /** Of stormreel, Node and the backend. */
  versions: z.record(z.string(), z.string()),
  /** In words, e.g. `backend: tensorflow 2.21.0, cpu, 2 threads`. */
  backend: z.string(),
});
export type Provenance = z.infer<typeof Provenance>;

/** run/split.json: the parts themselves, as runs of frames in index order. */
const StoredSplit = z.strictObject({
  config: SplitConfig,
  hash: z.string(),
  embargoMs: z.number(),
  leaky: z.boolean(),
  notes: z.array(z.string()),
  /** Frames in each part. */
  counts: z.record(z.enum(PARTS), z.int()),
  runs: z.array(z.tuple([z.enum(PARTS), z.int().min(1)])),
});

export async function saveProvenance(runDir: string, provenance: Provenance, split: Split): Promise<void> {
  await mkdir(runDir, { recursive: true });
  await writeJson(join(runDir, 'config.json'), Provenance.parse(provenance));
  const runs = runsOf(split.part);
  const { config, hash, embargoMs, leaky, notes } = split;
  const counts = Object.fromEntries(PARTS.map((name, code) => [name, countOf(split.part, code)]));
  await writeJson(join(runDir, 'split.json'), { config, hash, embargoMs, leaky, notes, counts, runs });
}

/** @throws ConfigError when the run has none or another version wrote it. */
export const loadProvenance = (runDir: string): Promise<Provenance> =>
  readJson(join(runDir, 'config.json'), Provenance);

/** The split a run was trained with. @throws ConfigError as above. */
export async function loadSplit(runDir: string): Promise<Split> {
  const { runs, counts: _, ...rest } = await readJson(join(runDir, 'split.json'), StoredSplit);
  const part = new Uint8Array(runs.reduce((sum, [, length]) => sum + length, 0));
  let at = 0;
  for (const [name, length] of runs) part.fill(PARTS.indexOf(name), at, (at += length));
  return { ...rest, part };
}

function runsOf(part: Uint8Array): [string, number][] {
  const runs: [string, number][] = [];
  for (let start = 0, end = 0; start < part.length; start = end) {
    while (end < part.length && part[end] === part[start]) end++;
    runs.push([PARTS[part[start]], end - start]);
  }
  return runs;
}

const countOf = (part: Uint8Array, code: number): number => part.reduce((n, p) => n + Number(p === code), 0);

async function writeJson(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(value, null, 1)}\n`);
  await rename(temporary, path);
}

async function readJson<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new ConfigError(`cannot read ${path}: ${(cause as Error).message}`, {
      hint: 'give the folder of a run: stormreel train DATASET --out RUN',
      cause,
      fields: { path },
    });
  }
}
