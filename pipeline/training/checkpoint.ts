/** Checkpoints: one file a member, replaced as a whole; everything random is a function of (seed, step). */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { leaves, type ParameterTree, readTree, type StoredTensor } from '../tensor/index.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

/** Where a member's run stands. */
export const Progress = z.strictObject({
  /** sha256 over all that decides the run: config, data, labels, split, backend. */
  fingerprint: z.string(),
  /** Optimiser updates done; the next batch follows from it. */
  step: z.int(),
  finished: z.boolean(),
  /** Best validation average precision so far and the evaluations since. */
  best: z.number().nullable(),
  waited: z.int(),
  /** Bytes of log.jsonl written when this was saved. */
  logBytes: z.int(),
});
export type Progress = z.infer<typeof Progress>;

export interface Checkpoint {
  progress: Progress;
  parameters: Map<string, StoredTensor>;
  /** Parameters of the best evaluation; null before one. */
  best: Map<string, StoredTensor> | null;
  optimiser: Map<string, StoredTensor>;
}

const file = (folder: string, member: number): string => join(folder, `member${member}.safetensors`);

export async function saveCheckpoint(folder: string, member: number, checkpoint: Checkpoint): Promise<void> {
  const { progress, parameters, best, optimiser } = checkpoint;
  const tensors = new Map<string, StoredTensor>();
  const put = (prefix: string, part: Map<string, StoredTensor> | null) =>
    part?.forEach((stored, name) => {
      tensors.set(`${prefix}/${name}`, stored);
    });
  put('parameters', parameters);
  put('best', best);
  put('optimiser', optimiser);
  await mkdir(folder, { recursive: true });
  await writeSafetensors(file(folder, member), { tensors, metadata: { progress: JSON.stringify(progress) } });
}

/** The member's checkpoint; null where there is none or it belongs to another run. */
export async function loadCheckpoint(
  folder: string,
  member: number,
  fingerprint: string,
): Promise<Checkpoint | null> {
  const stored = await readSafetensors(file(folder, member)).catch((error) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!stored) return null;
  const progress = Progress.safeParse(JSON.parse(stored.metadata.progress ?? 'null'));
  if (!progress.success || progress.data.fingerprint !== fingerprint) return null;
  const part = (prefix: string) =>
    new Map(
      [...stored.tensors]
        .filter(([name]) => name.startsWith(`${prefix}/`))
        .map(([name, value]) => [name.slice(prefix.length + 1), value]),
    );
  const best = part('best');
  return {
    progress: progress.data,
    parameters: part('parameters'),
    best: best.size ? best : null,
    optimiser: part('optimiser'),
  };
}

/** Values of all leaves, in tree order. */
export async function stored(tree: ParameterTree): Promise<Map<string, StoredTensor>> {
  const values = await readTree(tree);
  return new Map(leaves(tree).map(({ name }) => [name, values.get(name)!]));
}
