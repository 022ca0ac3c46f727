/** Small maps, one an hour, whose cells say which map they are; and the dataset as it is when nothing goes wrong. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  decodeFrame,
  describeDataset,
  encodeGeoTiff,
  scanSources,
} from '../../dist/pipeline/raster/index.js';
import {
  createDataset,
  finalise,
  openSlots,
  readDescription,
  writeSlot,
} from '../../dist/pipeline/shards/index.js';
import { IngestConfig } from '../../dist/schemas/config/index.js';

const [WIDTH, HEIGHT] = [16, 12];
/** Frames in one slot. */
export const SHARD_FRAMES = 4;

export const timeOf = (frame) => Date.UTC(2005, 0, 1, frame);
/** First cell of a frame; different for any two frames less than 4096 apart. */
export const cellOf = (frame) => (frame * 31) % 4096;

export async function writeSources(folder, frames) {
  await mkdir(folder, { recursive: true });
  for (let i = 0; i < frames; i++) {
    const stamp = new Date(timeOf(i)).toISOString().replace(/\D/g, '');
    const name = `m_${stamp.slice(0, 8)}T${stamp.slice(8, 12)}Z.tif`;
    await writeFile(join(folder, name), mapOf(i));
  }
}

const mapOf = (i) =>
  encodeGeoTiff({
    width: WIDTH,
    height: HEIGHT,
    bands: 1,
    dtype: 'u16',
    values: Uint16Array.from({ length: WIDTH * HEIGHT }, (_, cell) => (i * 31 + cell * 7) % 4096),
    transform: [10, 0.5, 0, 45, 0, -0.5],
    crs: 'EPSG:4326',
    bandNames: ['ir'],
    compression: i % 2 ? 'deflate' : 'none',
  });

/** Dataset hash of an ingest without queue, processes or faults. */
export async function quietHash(sources, dataset) {
  const config = IngestConfig.parse({ sources: [sources] });
  const { description, frames } = describeDataset(await scanSources(config), config);
  await createDataset(dataset, description, frames, { shardFrames: SHARD_FRAMES });
  const stored = await readDescription(dataset);
  for (const slot of await openSlots(dataset))
    await writeSlot(dataset, stored, slot, { decode: decodeFrame, onBadFrame: 'stop', attempt: 1 });
  return (await finalise(dataset)).hash;
}
