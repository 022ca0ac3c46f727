/**
 * Ingest as the slots processor does it: `node bench/ingest/ours.mjs LIST OUT WARM` plans the files of LIST (one path a
 * line) into a new dataset, fills the slots of the first WARM files untimed and the rest timed, and prints the seconds
 * as JSON. `npm run build` first.
 */
import { readFileSync, rmSync } from 'node:fs';
import {
  decodeFrame,
  describeDataset,
  mapCache,
  readAhead,
  scanSources,
} from '../../dist/pipeline/raster/index.js';
import { createDataset, readDescription, readPlan, writeSlot } from '../../dist/pipeline/shards/index.js';
import { IngestConfig } from '../../dist/schemas/config/index.js';

const SLOT = 32;
const [list, out, warm] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const sources = readFileSync(list, 'utf8').split('\n').filter(Boolean);
rmSync(out, { recursive: true, force: true });
const config = IngestConfig.parse({
  sources,
  step: '1d',
  assumeUtc: true,
  grid: { width: 256, height: 256 },
});
const { description, frames } = describeDataset(await scanSources(config), config);
const [[series, planned]] = frames;
await createDataset(out, description, new Map([[series, planned]]), { shardFrames: SLOT });
const { slots } = await readPlan(out);
const stored = await readDescription(out);
const cache = mapCache(256 * 2 ** 20);

async function fill(slot) {
  const ahead = readAhead();
  await writeSlot(out, stored, slot, {
    decode: (frame, its, description, own) => decodeFrame(frame, its, description, { cache, ahead, ...own }),
    onBadFrame: 'stop',
    attempt: 1,
  });
  ahead.close();
}
const untimed = Math.ceil(warm / SLOT);
for (const slot of slots.slice(0, untimed)) await fill(slot);
const started = performance.now();
const cpu = process.cpuUsage();
for (const slot of slots.slice(untimed)) await fill(slot);
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ seconds, cpu: (user + system) / 1e6, files: planned.length - untimed * SLOT }));
