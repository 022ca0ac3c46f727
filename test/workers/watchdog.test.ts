/** A map that takes too much is noted by the thread beside the child, which then dies; after two deaths it is a bad frame. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeDataset, encodeGeoTiff, scanSources } from '../../pipeline/raster/index.js';
import {
  createDataset,
  type Death,
  finalise,
  noteDeath,
  openSlots,
  readPlan,
  readSuspects,
  refuseSuspect,
  suspectKey,
} from '../../pipeline/shards/index.js';
import { IngestConfig } from '../../schemas/config/index.js';
import { groupKey } from '../../workers/groups.js';
import { map, mapName } from '../integration/maps.js';
import { buildWhenStale, ROOT } from '../integration/program.js';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-watchdog-'));
const maps = join(folder, 'maps');
/** Its decoding takes some hundred milliseconds of processor time; that of the others next to none. */
const BIG = { width: 11_000, height: 11_000 };
const LITTLE_TIME = { cpuMs: 150, cpuMsPerByte: 0, memoryBytes: 2 ** 40 };
const LITTLE_MEMORY = { cpuMs: 1e9, cpuMsPerByte: 0, memoryBytes: 20 * 2 ** 20 };

beforeAll(() => {
  buildWhenStale();
  mkdirSync(maps);
  for (const i of [0, 2, 3]) writeFileSync(join(maps, mapName(i)), map(i));
  const transform = [10, 8 / BIG.width, 0, 45, 0, -6 / BIG.height] as const;
  const values = new Uint16Array(BIG.width * BIG.height).map((_, i) => i % 4096);
  const big = {
    ...BIG,
    bands: 1,
    dtype: 'u16',
    values,
    transform: [...transform],
    crs: 'EPSG:4326',
  } as const;
  const bytes = encodeGeoTiff({
    ...big,
    transform: [...transform],
    bandNames: ['ir'],
    compression: 'deflate',
  });
  writeFileSync(join(maps, mapName(1)), bytes);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function planned(
  name: string,
  sources = [maps],
): Promise<{ dataset: string; job: object; key: string }> {
  const dataset = join(folder, name);
  const config = IngestConfig.parse({ sources, grid: { width: 16, height: 12 } });
  const { description, frames } = describeDataset(await scanSources(config), config);
  await createDataset(dataset, description, frames, { shardFrames: 64 });
  const { slots } = await readPlan(dataset);
  const job = { dataset, revision: 1, group: 0, key: groupKey(slots), onBadFrame: 'skip' };
  return { dataset, job, key: suspectKey(slots[0].frames[1]) };
}

/** One attempt in a process of its own, as the queue would start it. */
function attempt(job: object, budget: object): { signal: string | null; stderr: string } {
  const processor = pathToFileURL(join(ROOT, 'dist/workers/processors/slots.js')).href;
  const script = `import { fillSlots } from ${JSON.stringify(processor)};
    await fillSlots(${JSON.stringify(job)}, { attempt: 1, progress: async () => {} }, ${JSON.stringify(budget)});`;
  const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  return { signal, stderr };
}

async function frames(dataset: string) {
  const [commit] = readdirSync(join(dataset, 'commits'));
  return JSON.parse(readFileSync(join(dataset, 'commits', commit), 'utf8')).frames;
}

describe('a map over its budget', () => {
  for (const [cause, budget] of [
    ['time', LITTLE_TIME],
    ['memory', LITTLE_MEMORY],
  ] as const)
    it(`of ${cause} ends its process twice, and is then committed as bad beside its good neighbours`, async () => {
      const { dataset, job, key } = await planned(cause);
      for (const deaths of [1, 2]) {
        expect(attempt(job, budget)).toEqual({ signal: 'SIGKILL', stderr: '' });
        const noted = (await readSuspects(dataset)).get(key);
        expect(noted).toHaveLength(deaths);
        expect(noted?.at(-1)).toMatchObject({ cause, alone: true, paths: [join(maps, mapName(1))] });
        expect(await openSlots(dataset)).toHaveLength(1);
      }
      expect(attempt(job, budget)).toEqual({ signal: null, stderr: '' });
      expect((await frames(dataset)).map((f: { status: string }) => f.status)).toEqual([
        'ok',
        'bad',
        'ok',
        'ok',
      ]);
      expect((await frames(dataset))[1].reason).toMatch(/^BadRasterError: .* within .* in 2 attempts$/);
      expect(await finalise(dataset)).toMatchObject({ frames: 4, bad: 1 });
      expect(readdirSync(dataset)).not.toContain('suspects');
    });

  it('within its budget is no suspect', async () => {
    const small = [0, 2, 3].map((i) => join(maps, mapName(i)));
    const { dataset, job } = await planned('enough', small);
    expect(attempt(job, LITTLE_TIME)).toEqual({ signal: null, stderr: '' });
    expect((await frames(dataset)).map((f: { status: string }) => f.status)).not.toContain('bad');
    expect((await readSuspects(dataset)).size).toBe(0);
  });
});

describe('refuseSuspect', () => {
  it('waits for a second death, and for one with no other map beside it', async () => {
    const dataset = join(folder, 'records');
    const death: Death = { paths: ['a.tif'], cause: 'time', limit: 20_000, alone: false };
    const refused = async () => {
      const suspects = await readSuspects(dataset);
      try {
        refuseSuspect(suspects, 'a');
      } catch (error) {
        return error;
      }
    };
    mkdirSync(join(dataset, 'suspects'), { recursive: true });
    await noteDeath(dataset, 'a', death);
    await noteDeath(dataset, 'a', death);
    writeFileSync(join(dataset, 'suspects', 'a-torn.json'), '{"paths":');
    expect(await refused()).toBeUndefined();
    await noteDeath(dataset, 'a', { ...death, alone: true });
    expect(await refused()).toMatchObject({
      tag: 'BadRasterError',
      fields: { paths: ['a.tif'], cause: 'time', limit: 20_000, attempts: 3 },
    });
  });
});
