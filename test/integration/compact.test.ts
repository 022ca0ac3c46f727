import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDataset } from '../../pipeline/shards/index.js';
import { mapName, writeMaps } from './maps.js';
import { buildWhenStale, run } from './program.js';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-compact-'));
const dataset = join(folder, 'dataset');
const maps = join(folder, 'maps');

beforeAll(async () => {
  buildWhenStale();
  await writeMaps(maps, 30);
  writeFileSync(join(maps, mapName(7)), 'no map any more');
  // A late map: its slot lies in the middle of the others.
  renameSync(join(maps, mapName(12)), join(folder, 'late'));
  const args = ['ingest', maps, '--out', dataset, '--shard-frames', '2', '--on-bad-frame', 'skip', '--json'];
  await run(args);
  renameSync(join(folder, 'late'), join(maps, mapName(12)));
  expect((await run(args)).code).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const files = (name: string) => readdirSync(join(dataset, name)).length;
const shardFiles = () => files(`shards/${readdirSync(join(dataset, 'shards'))[0]}`);
const compact = (...more: string[]) => run(['dataset', 'compact', dataset, '--json', ...more]);

async function frames() {
  const store = await openDataset(dataset);
  const { length } = store.index;
  const out = { values: new Float32Array(length * 192), valid: new Uint8Array(length * 192) };
  await store.read([...Array(length).keys()], out);
  await store.close();
  return { index: store.index, hash: store.hash, out };
}

it('puts small shards together without their sources; frames, order and hash stay', async () => {
  const before = await frames();
  const shards = shardFiles();
  renameSync(maps, join(folder, 'away'));
  const done = JSON.parse((await compact('--shard-frames', '16')).stdout);
  expect(done).toMatchObject({ before: shards, after: 2, hash: before.hash });
  expect(await frames()).toEqual(before);
  expect([shardFiles(), files('commits')]).toEqual([2, 2]);
  expect((await run(['dataset', 'verify', dataset])).code).toBe(0);
  expect(JSON.parse((await compact('--shard-frames', '16')).stdout)).toMatchObject({ before: 2, after: 2 });
});

it('is left alone by the next ingest of the same maps, which adds what is new', async () => {
  renameSync(join(folder, 'away'), maps);
  const before = await frames();
  const again = await run(['ingest', maps, '--out', dataset, '--on-bad-frame', 'skip', '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({ hash: before.hash });
  expect(shardFiles()).toBe(2);
});
