/** Ingest without the queue: every slot is filled in this process. */
import { decodeFrame, describeDataset, type Scan, scanSources } from '../../pipeline/raster/index.js';
import {
  createDataset,
  finalise,
  openSlots,
  readDescription,
  writeSlot,
} from '../../pipeline/shards/index.js';
import { IngestConfig } from '../../schemas/config/index.js';

/** Dataset hash. */
export const fillHere = async (dir: string, ingest: unknown): Promise<string> =>
  (await filledHere(dir, ingest)).hash;

/** With what was left out before the plan. */
export async function filledHere(
  dir: string,
  ingest: unknown,
): Promise<{ hash: string; leftOut: Scan['rejected'] }> {
  const config = IngestConfig.parse(ingest);
  const scan = await scanSources(config);
  const { description, frames, rejected } = describeDataset(scan, config);
  await createDataset(dir, description, frames, { shardFrames: config.shardFrames });
  const stored = await readDescription(dir);
  for (const slot of await openSlots(dir))
    await writeSlot(dir, stored, slot, { decode: decodeFrame, onBadFrame: config.onBadFrame, attempt: 1 });
  return { hash: (await finalise(dir)).hash, leftOut: [...scan.rejected, ...rejected] };
}
