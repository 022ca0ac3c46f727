/** A dataset on object storage, by the program itself. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createDataset,
  finalise,
  openDataset,
  openSlots,
  readDescription,
  setAsideFaults,
  storageAt,
  verifyDataset,
  writeSlot,
} from '../../pipeline/shards/index.js';
import type { Slot } from '../../schemas/records/index.js';
import { hasS3, makeBucket, type S3Server, startS3 } from '../servers/s3.js';
import { fillHere } from './fillHere.js';
import { writeMaps } from './maps.js';
import { buildWhenStale, start } from './program.js';

const MAPS = 32;
const DATASET = 's3://maps/season/one';

describe.skipIf(!hasS3)('a dataset on object storage', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stormreel-objects-'));
  const maps = join(folder, 'maps');
  let server: S3Server;
  let local = '';
  beforeAll(async () => {
    buildWhenStale();
    await writeMaps(maps, MAPS);
    local = await fillHere(join(folder, 'local'), { sources: [maps], shardFrames: 4 });
    server = await startS3('moto');
    await makeBucket('maps', server);
    server.use();
  });
  afterAll(() => {
    server?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const ingest = () =>
    start(['ingest', maps, '--out', DATASET, '--shard-frames', '4', '--workers', '2', '--json']);
  const commits = () => storageAt(DATASET).list('commits');

  it('ends with the hash of a folder, after a kill in the middle', async () => {
    const running = ingest();
    let ended = false;
    void running.ended.then(() => (ended = true));
    while (!ended && (await commits()).length < 2) await sleep(100);
    running.kill();
    await running.ended;
    const { code, stdout } = await ingest().ended;
    expect([code, JSON.parse(stdout).hash]).toEqual([0, local]);
    const { faults, frames } = await verifyDataset(DATASET);
    expect([faults, frames]).toEqual([[], MAPS]);
    const shards = await storageAt(DATASET).list('shards', { deep: true });
    expect(shards).toHaveLength(MAPS / 4); // none that no commit names
  }, 300_000);

  it('is committed by one of two writers, and the other is told what stands there', async () => {
    const dir = 's3://maps/race';
    const file = { path: 'a.tif', size: 1, mtimeMs: 1, index: 0, bands: [{ from: 0, to: 0 }] };
    const frames = Array.from({ length: 20 }, (_, i) => ({ time: i * 3_600_000, sources: [file] }));
    const description = await readDescription(DATASET);
    const [{ name }] = description.series;
    await createDataset(dir, description, new Map([[name, frames]]), { shardFrames: 1 });
    const write = (slot: Slot, value: number) =>
      writeSlot(dir, description, slot, {
        decode: async () => ({
          values: new Uint16Array(16 * 12).fill(value),
          valid: new Uint8Array(16 * 12).fill(1),
          sources: ['x'],
        }),
        onBadFrame: 'stop',
        attempt: 1,
      });
    for (const slot of await openSlots(dir)) {
      const both = await Promise.allSettled([write(slot, 1), write(slot, 2)]);
      const lost = both.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
      expect(lost.map(({ reason }) => reason.tag)).toEqual(['SourceChangedError']);
    }
    await finalise(dir);
    expect((await verifyDataset(dir)).faults).toEqual([]);
  });

  it('finds what a server changed, and makes it again', async () => {
    const storage = storageAt(DATASET);
    const [shard] = await storage.list('shards', { deep: true });
    const bytes = await storage.read(`shards/${shard}`);
    bytes[bytes.length >> 1] ^= 1;
    await storage.replace(`shards/${shard}`, bytes);
    const { faults } = await setAsideFaults(DATASET);
    expect(faults).toHaveLength(1);
    expect(await fillHere(DATASET, { sources: [maps], shardFrames: 4 })).toBe(local);
    const store = await openDataset(DATASET);
    const out = { values: new Float32Array(16 * 12), valid: new Uint8Array(16 * 12) };
    await store.read([5], out);
    expect(out.values[3]).toBe((5 * 31 + 3 * 7) % 4096);
    await store.close();
  });
});
