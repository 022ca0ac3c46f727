/**
 * Maps whose decoding ended its process: one record a death, `suspects/<key>-<n>.json`, until the dataset is finalised.
 * docs/decisions/2026-11-25-suspects.md says when such a map counts as bad.
 */
import { createHash, randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { PlannedFrame } from '../../schemas/records/index.js';
import { BadRasterError } from '../errors.js';
import { layout } from './layout.js';
import { storageAt } from './storage/index.js';

const Death = z.object({
  /** Source files of the map. */
  paths: z.array(z.string()),
  /** What went over its budget: processor time or memory. */
  cause: z.enum(['time', 'memory']),
  /** The budget, ms or bytes. */
  limit: z.number(),
  /** No other map was being decoded in that process. */
  alone: z.boolean(),
});
export type Death = z.infer<typeof Death>;

/** By key of the map. */
export type Suspects = ReadonlyMap<string, readonly Death[]>;

const DEATHS = 2;

/** Names a map by its source files as they were planned: a changed file is another map. */
export function suspectKey({ sources }: PlannedFrame): string {
  const parts = sources.map(({ path, index, size, mtimeMs }) => [path, index, size, mtimeMs]);
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** Keeps the record of one death. */
export async function noteDeath(dataset: string, key: string, death: Death): Promise<void> {
  const name = `${layout.suspects}/${key}-${randomUUID().slice(0, 8)}.json`;
  await storageAt(dataset).replace(name, `${JSON.stringify(death)}\n`);
}

/** All records of a dataset; one that cannot be read counts as none. */
export async function readSuspects(dataset: string): Promise<Suspects> {
  const storage = storageAt(dataset);
  const suspects = new Map<string, Death[]>();
  for (const name of (await storage.list(layout.suspects)).sort()) {
    const death = await storage
      .read(`${layout.suspects}/${name}`)
      .then((bytes) => Death.parse(JSON.parse(bytes.toString('utf8'))))
      .catch(() => null);
    const [key] = name.split('-');
    if (death) suspects.set(key, [...(suspects.get(key) ?? []), death]);
  }
  return suspects;
}

/** BadRasterError for a map that ended two processes, at least one of them with no other map beside it. */
export function refuseSuspect(suspects: Suspects, key: string): void {
  const deaths = suspects.get(key) ?? [];
  const last = deaths.findLast(({ alone }) => alone);
  if (deaths.length < DEATHS || !last) return;
  const { paths, cause, limit } = last;
  const budget =
    cause === 'time'
      ? `${Math.round(limit / 1_000)} s of processor time`
      : `${Math.round(limit / 2 ** 20)} MiB`;
  throw new BadRasterError(
    `${paths.join(', ')} could not be decoded within ${budget} in ${deaths.length} attempts`,
    {
      hint: `leave it out with --on-bad-frame skip; to have it tried again, remove ${layout.suspects}/ in the dataset`,
      fields: { paths, cause, limit, attempts: deaths.length },
    },
  );
}
