import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mapName, writeMaps } from './maps.js';
import { buildWhenStale, run } from './program.js';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-repair-'));
const dataset = join(folder, 'dataset');
const maps = join(folder, 'maps');
let hash = '';

beforeAll(async () => {
  buildWhenStale();
  await writeMaps(maps, 40);
  const done = await run(['ingest', maps, '--out', dataset, '--shard-frames', '8', '--json']);
  hash = JSON.parse(done.stdout).hash;
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const inner = (name: string) => join(dataset, name);
const shards = () => {
  const [series] = readdirSync(inner('shards'));
  return readdirSync(inner(`shards/${series}`))
    .sort()
    .map((name) => inner(`shards/${series}/${name}`));
};
function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at < 0 ? bytes.length + at : at] ^= 16;
  writeFileSync(path, bytes);
}
const verify = () => run(['dataset', 'verify', dataset, '--json']);
const repair = () => run(['dataset', 'repair', dataset, '--json']);

it('rebuilds just the damaged shards from their sources, to the same bytes', async () => {
  const before = shards().map((path) => readFileSync(path));
  const untouched = (await stat(shards()[2])).ino;
  flip(shards()[0], 2_000);
  rmSync(shards()[1]);
  flip(inner(`commits/${readdirSync(inner('commits'))[4]}`), 40);
  flip(inner('manifest.json'), 12);
  const found = JSON.parse((await verify()).stdout);
  expect(found.error.tag).toBe('CorruptShardError');
  expect(found.error.fields.faults.length).toBe(4);
  const mended = await repair();
  expect(mended.code).toBe(0);
  expect(JSON.parse(mended.stdout)).toMatchObject({ slots: 5, frames: 32, hash });
  expect(shards().map((path) => readFileSync(path))).toEqual(before);
  expect((await stat(shards()[2])).ino).toBe(untouched);
  expect((await verify()).code).toBe(0);
  expect(JSON.parse((await repair()).stdout)).toMatchObject({ faults: [], hash });
});

it('says so where a source gives other pixels than before', async () => {
  const path = join(maps, mapName(3));
  const { atime, mtime } = await stat(path);
  flip(path, -5); // same size; the time is put back
  utimesSync(path, atime, mtime);
  flip(shards()[0], 2_000);
  const mended = await repair();
  expect(mended.code).toBe(2);
  const { error } = JSON.parse(mended.stdout);
  expect(error).toMatchObject({ tag: 'SourceChangedError', fields: { before: hash } });
  expect((await verify()).code).toBe(0);
});

it('tells what no source can bring back', async () => {
  flip(inner('plan/0001.jsonl'), 100);
  const mended = await repair();
  expect(mended.code).toBe(2);
  const { error } = JSON.parse(mended.stdout);
  expect(error.fields.faults).toMatchObject([{ name: 'plan', repairable: false }]);
  expect(error.hint).toContain('restore them from a copy');
});
