/** flow.json: which steps of a run are finished, with which inputs. */
import { createHash, randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { readFinished, storageAt } from '../pipeline/shards/index.js';

const FlowRecord = z.object({
  steps: z.record(
    z.string(),
    z.object({
      inputHash: z.string(),
      /** State of the dataset when the step ended; null when it had none. */
      dataset: z.string().nullable(),
      /** ISO 8601, UTC. */
      finished: z.string(),
    }),
  ),
});
export type FlowRecord = z.infer<typeof FlowRecord>;

const fileOf = (folder: string) => join(folder, 'flow.json');

/** What is finished; nothing where there is no readable record. */
export async function readRecord(folder: string): Promise<FlowRecord> {
  try {
    return FlowRecord.parse(JSON.parse(await readFile(fileOf(folder), 'utf8')));
  } catch {
    return { steps: {} };
  }
}

/** Notes that `step` is finished, in one move. */
export async function writeRecord(
  folder: string,
  step: { name: string; inputHash: string },
  dataset: string | null,
): Promise<void> {
  const record = await readRecord(folder);
  const finished = new Date().toISOString();
  record.steps[step.name] = { inputHash: step.inputHash, dataset, finished };
  const temporary = `${fileOf(folder)}.${randomUUID()}.tmp`;
  await writeFile(temporary, `${JSON.stringify(record, null, 2)}\n`);
  await rename(temporary, fileOf(folder));
}

/** Hash of a dataset's frames and of its label files, which are hashed apart from it; null before its first ingest. */
export async function stateOf(dataset: string): Promise<string | null> {
  const finished = await readFinished(dataset).catch(() => null);
  if (!finished) return null;
  const hash = createHash('sha256').update(finished.hash);
  const storage = storageAt(dataset);
  const names = await storage.list('labels');
  for (const name of names.filter((n) => n.endsWith('.arrow')).sort())
    hash.update(`\n${name}\n`).update(await storage.read(`labels/${name}`));
  return hash.digest('hex');
}
