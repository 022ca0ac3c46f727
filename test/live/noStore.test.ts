import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command as labelCommand } from '../../cli/label.js';
import { readPredictions } from '../../pipeline/labelling/index.js';
import { openBackend } from '../../pipeline/tensor/index.js';
import { fillHere } from '../integration/fillHere.js';
import { call } from '../integration/inProcess.js';
import { liveRun, mapBytes, putMap, putMaps } from './fixture.js';

let folder = '';
const at = (...names: string[]) => join(folder, ...names);
const label = (source: string, out: string, ...more: string[]) =>
  call(labelCommand, [source, '--model', at('run'), '--out', at(out), ...more]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stormreel-straight-'));
  await openBackend();
  await liveRun(folder, false);
  // Two places; one has a gap, a map that is damaged inside and one without a value.
  await putMaps(at('maps/north'), 0, 40);
  await putMaps(at('maps/south'), 5, 20);
  await putMaps(at('maps/south'), 26, 36);
  const deflated = mapBytes(9, { compression: 'deflate' });
  await putMap(at('maps/south'), 9, deflated.fill(255, deflated.length - 60, deflated.length - 10));
  await putMap(at('maps/south'), 12, mapBytes(12, { values: new Float32Array(64).fill(Number.NaN) }));
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('label --no-store', () => {
  it('gives the labels that a dataset of the same maps gets, and leaves nothing behind', async () => {
    const sources = { sources: [at('maps')], onBadFrame: 'skip' };
    await fillHere(at('dataset'), sources);
    expect(await label(at('dataset'), 'stored.csv')).toMatchObject({ code: 0 });
    const before = (await readdir(folder)).length;
    const straight = await label(at('maps'), 'straight.csv', '--no-store', '--on-bad-frame', 'skip');
    expect(straight).toMatchObject({ code: 0, json: { rejected: 0, bad: 2 } });
    expect((await readdir(folder)).length - before).toBe(3); // predictions, events twice
    const [ours, stored] = await Promise.all([
      readPredictions(at('straight.csv')),
      readPredictions(at('stored.csv')),
    ]);
    expect(ours).toHaveLength(stored.length);
    expect(new Set(ours.map(({ predicted }) => predicted))).toEqual(new Set([0, 1, null]));
    ours.forEach(({ logit, probability, ...rest }, i) => {
      const { logit: theirs, probability: _, ...others } = stored[i];
      expect(rest).toEqual(others);
      if (logit === null || theirs === null) expect(logit).toBe(theirs);
      else expect(Math.abs(logit - theirs)).toBeLessThan(1e-5);
    });
    expect(straight.json.bad).toBe(ours.filter(({ logit }) => logit === null).length);
  });

  it('stops at a bad map, and refuses other bands, another grid and flags that need a dataset', async () => {
    expect(await label(at('maps'), 'x.csv', '--no-store')).toMatchObject({
      code: 2,
      json: { error: { tag: 'BadRasterError' } },
    });
    for (const [name, change, tag] of [
      ['bands', { bandNames: ['z500'] }, 'BandMismatchError'],
      [
        'grid',
        { transform: [7, 1, 0, 50, 0, -1] as [number, number, number, number, number, number] },
        'ModelMismatchError',
      ],
    ] as const) {
      for (const i of [0, 1]) {
        await mkdir(at(name), { recursive: true });
        await putMap(at(name), i, mapBytes(i, change));
      }
      expect(await label(at(name), 'x.csv', '--no-store'), name).toMatchObject({
        code: 2,
        json: { error: { tag } },
      });
    }
    expect(await label(at('maps'), 'x.csv', '--no-store', '--attention', at('a.arrow'))).toMatchObject({
      code: 2,
      json: { error: { tag: 'ConfigError', fields: { flag: 'attention' } } },
    });
    expect(await label(at('dataset'), 'x.csv', '--grid', '4x4')).toMatchObject({
      code: 2,
      json: { error: { tag: 'ConfigError', fields: { flag: 'grid' } } },
    });
  });
});
