/** Ingest without the queue: every slot is filled in this process. */
import { decodeFrame, describeDataset, scanSources } from '../../pipeline/raster/index.js';
import {
  createDataset,
  finalise,
  openSlots,
  readDescription,
  writeSlot,
} from '../../pipeline/shards/index.js';
import { IngestConfig } from '../../schemas/config/index.js';

/** Dataset hash. */
export async function fillHere(dir: string, ingest: unknown): Promise<string> {
  const config = IngestConfig.parse(ingest);
  const { description, frames } = describeDataset(await scanSources(config), config);
  await createDataset(dir, description, frames, { shardFrames: config.shardFrames });
  const stored = await readDescription(dir);
  for (const slot of await openSlots(dir))
    await writeSlot(dir, stored, slot, { decode: decodeFrame, onBadFrame: config.onBadFrame, attempt: 1 });
  return (await finalise(dir)).hash;
}
