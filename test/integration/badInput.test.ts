/** Each kind of bad input: its typed error with fields and a hint, exit code 2, and what was committed left as it was. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { command as ingest } from '../../cli/ingest.js';
import { command as label } from '../../cli/label.js';
import { command as train } from '../../cli/train.js';
import type { ErrorTag } from '../../pipeline/errors.js';
import { readFinished, verifyDataset } from '../../pipeline/shards/index.js';
import { fillHere } from './fillHere.js';
import { call, type Outcome } from './inProcess.js';
import { map, mapName, writeMaps } from './maps.js';

const FRAMES = 48;
const folder = mkdtempSync(join(tmpdir(), 'stormreel-bad-'));
const maps = join(folder, 'maps');
const dataset = join(folder, 'dataset');
const at = (name: string) => join(folder, name);
let hash = '';
let committed: string[] = [];

beforeAll(async () => {
  await writeMaps(maps, FRAMES);
  hash = await fillHere(dataset, { sources: [maps] });
  expect((await labelled('storms', (i) => (i % 8 > 5 ? 1 : 0))).code).toBe(0);
  committed = files();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  expect((await readFinished(dataset)).hash).toBe(hash);
  expect((await verifyDataset(dataset)).faults).toEqual([]);
  expect(files()).toEqual(committed);
});

const files = (): string[] => readdirSync(dataset, { recursive: true }).map(String).sort();
const time = (i: number): string => new Date(Date.UTC(2005, 11, 1, i)).toISOString();

/** The maps in a folder of the same name, so of the same series, changed by `change`. */
function changed(name: string, change: (dir: string) => void): string {
  const dir = join(folder, name, 'maps');
  cpSync(maps, dir, { recursive: true });
  change(dir);
  return dir;
}

function labelled(name: string, label: (i: number) => unknown, when = time): Promise<Outcome> {
  const rows = Array.from({ length: FRAMES }, (_, i) => `${when(i)},${label(i)}`);
  return withLabels(name, ['time,label', ...rows].join('\n'));
}

function withLabels(name: string, text: string, ...more: string[]): Promise<Outcome> {
  writeFileSync(at(`${name}.csv`), text);
  return call(ingest, [maps, '--out', dataset, '--labels', at(`${name}.csv`), ...more]);
}

const ingested = (source: string, ...more: string[]): Promise<Outcome> =>
  call(ingest, [source, '--out', dataset, ...more]);

const splitBy = (parts: string, ...more: string[]): Promise<Outcome> =>
  call(train, [dataset, '--out', at('run'), '--split', parts, ...more]);

function expectRefusal(
  { code, json }: Outcome,
  tag: ErrorTag,
  hint: RegExp,
  fields: Record<string, unknown> = {},
): void {
  expect(json.error).toMatchObject({ tag, hint: expect.stringMatching(hint), fields });
  expect(code).toBe(2);
}

describe('maps that cannot be added', () => {
  it('are missing files, empty folders and links to nothing', async () => {
    expectRefusal(await ingested(at('nowhere')), 'ConfigError', /folder, a file or a quoted glob/);
    mkdirSync(at('empty'));
    expectRefusal(await ingested(at('empty')), 'ConfigError', /\.tif/);
    const path = (dir: string) => join(dir, mapName(FRAMES));
    const dangling = changed('dangling', (dir) => symlinkSync(at('nowhere'), path(dir)));
    expectRefusal(await ingested(dangling), 'ConfigError', /link/, { path: path(dangling) });
    const circle = changed('circle', (dir) => symlinkSync(path(dir), path(dir)));
    expectRefusal(await ingested(circle), 'ConfigError', /file itself/, { code: 'ELOOP' });
  });

  it('are files that are no maps, whatever they hold', async () => {
    const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
    for (const [name, bytes] of [
      ['text', 'no map at all'],
      ['zero', ''],
      ['picture', png],
      ['cut', map(1).subarray(0, 300)],
    ] as const) {
      const dir = changed(name, (to) => writeFileSync(join(to, mapName(FRAMES)), bytes));
      expectRefusal(await ingested(dir), 'BadRasterError', /--on-bad-frame skip/, {
        path: join(dir, mapName(FRAMES)),
      });
    }
  });

  it('have another number of bands, or other bands than the dataset', async () => {
    const more = changed('bands', (dir) =>
      writeFileSync(join(dir, mapName(FRAMES)), map(FRAMES, { bands: 3, bandNames: ['ir', 'wv', 'vis'] })),
    );
    // Three named bands hold the one wanted: no mismatch. Unnamed ones do not.
    const unnamed = changed('unnamed', (dir) =>
      writeFileSync(join(dir, mapName(FRAMES)), map(FRAMES, { bands: 3, bandNames: undefined })),
    );
    expectRefusal(await ingested(unnamed), 'BandMismatchError', /--bands/, {
      found: ['band1', 'band2', 'band3'],
      expected: ['ir'],
    });
    expectRefusal(await ingested(more, '--bands', 'wv'), 'BandMismatchError', /--bands/, {
      found: ['ir'],
      expected: ['wv'],
    });
    const other = at('other/maps');
    mkdirSync(other, { recursive: true });
    for (const i of [1, 2]) writeFileSync(join(other, mapName(100 + i)), map(i, { bandNames: ['wv'] }));
    expectRefusal(await ingested(other), 'BandMismatchError', /--bands ir/);
  });

  it('have another size, place or reference system', async () => {
    for (const [name, change] of [
      ['size', { width: 17 }],
      ['place', { transform: [11, 0.5, 0, 45, 0, -0.5] }],
      ['crs', { crs: 'EPSG:3857' }],
      ['nowhere', { transform: null, crs: 'none' }],
    ] as [string, object][]) {
      const dir = changed(name, (to) => writeFileSync(join(to, mapName(FRAMES)), map(FRAMES, change)));
      expectRefusal(await ingested(dir), 'GridMismatchError', /--grid WxH/, {
        path: join(dir, mapName(FRAMES)),
      });
    }
    expectRefusal(await ingested(maps, '--grid', '8x6'), 'BandMismatchError', /new folder/);
  });

  it('have a time that is there already, cannot be read, or has no zone', async () => {
    const named = (name: string, file: string) =>
      changed(name, (dir) => writeFileSync(join(dir, file), map(0)));
    const twice = named('twice', 'again_20051201T0300Z.tif');
    expectRefusal(await ingested(twice), 'TimeError', /--duplicates first\|last/, {
      time: Date.parse(time(3)),
      paths: [join(twice, 'again_20051201T0300Z.tif'), join(twice, mapName(3))],
    });
    for (const [name, file] of [
      ['month', 'm_20051301T0300Z.tif'],
      ['day', 'm_20051131T0300Z.tif'],
      ['words', 'storm.tif'],
    ] as const)
      expectRefusal(await ingested(named(name, file)), 'TimeError', /--time/);
    expectRefusal(await ingested(named('zoneless', 'm_20051203T0300.tif')), 'TimeError', /--assume-utc/);
  });

  it('are of a series that the dataset does not have, or go where no dataset can be', async () => {
    expectRefusal(await ingested(maps, '--series', 'ionian'), 'ConfigError', /--series maps/, {
      found: 'ionian',
      expected: ['maps'],
    });
    writeFileSync(at('file'), '');
    const { json, code } = await call(ingest, [maps, '--out', at('file')]);
    expectRefusal({ json, code }, 'ConfigError', /--out/, { code: 'ENOTDIR' });
  });
});

describe('labels that cannot be joined', () => {
  it('match no frame: counts both ways', async () => {
    const next = (i: number) => new Date(Date.UTC(2006, 11, 1, i)).toISOString();
    expectRefusal(await labelled('late', () => 0, next), 'LabelJoinError', /--label-time-offset/, {
      kind: 'unmatched',
      labels: FRAMES,
      ofLabels: FRAMES,
      frames: FRAMES,
      ofFrames: FRAMES,
    });
  });

  it('hold a class that is not in the list, or lie in a folder that is not', async () => {
    const strange = await labelled('strange', (i) => (i === 3 ? 2 : 0));
    expectRefusal(strange, 'LabelJoinError', /0 \(no storm\) or 1/, {
      value: '2',
      where: 'strange.csv line 5',
    });
    const folders = await ingested(maps, '--label-from-folder', '0=calm,1=storm');
    expectRefusal(folders, 'LabelJoinError', /every class folder/, {
      folder: 'maps',
      classes: ['calm', 'storm'],
    });
  });

  it('are missing, empty, ragged, twice there or without a zone', async () => {
    expectRefusal(await ingested(maps, '--labels', at('no.csv')), 'ConfigError', /--labels FILE/);
    for (const text of ['', 'time,label\n', '\ufefftime,label\r\n'])
      expectRefusal(await withLabels('empty', text), 'LabelJoinError', /header and at least one row/);
    expectRefusal(await withLabels('ragged', `time,label\n${time(0)}\n`), 'LabelJoinError', /as many cells/);
    expectRefusal(
      await labelled(
        'twice',
        () => 0,
        (i) => time(Math.min(i, 40)),
      ),
      'LabelJoinError',
      /one row a series and time/,
      { time: Date.parse(time(40)) },
    );
    const bare = (i: number) => time(i).slice(0, 16);
    expectRefusal(await labelled('bare', () => 0, bare), 'TimeError', /--assume-utc/, { fault: 'no zone' });
  });

  it('are none of the above with a byte order mark, CRLF, fractions of a second and zones', async () => {
    const zoned = (i: number) => new Date(Date.UTC(2005, 11, 1, i + 1)).toISOString().replace('Z', '+01:00');
    const rows = Array.from({ length: FRAMES }, (_, i) => `${zoned(i)},${i % 8 > 5 ? 1 : 0}`);
    const text = `\ufefftime,label\r\n${rows.join('\r\n')}\r\n`;
    const { code, json } = await withLabels('zoned', text, '--label-source', 'storms');
    expect([code, json.labels.positives, json.labels.unlabelled]).toEqual([0, 12, 0]);
  });
});

describe('a split that cannot be', () => {
  const day = (n: number) => `2005-12-0${n}`;

  it('has an empty part, an empty range or ranges that overlap', async () => {
    const empty = await splitBy(`train=${day(1)}/${day(2)},test=2006-01-01/2006-02-01`);
    expectRefusal(empty, 'ConfigError', /every part holds frames/, { part: 'test', counts: { test: 0 } });
    const turned = await splitBy(`train=${day(2)}/${day(1)}`);
    expectRefusal(turned, 'ConfigError', /from <= time < to/, { part: 'train' });
    const shared = await splitBy(`train=${day(1)}/${day(3)},test=${day(2)}/${day(4)}`);
    expectRefusal(shared, 'LeakError', /do not overlap/, { parts: ['train', 'test'] });
  });

  it('trains with one class only', async () => {
    const calm = at('calm.csv');
    writeFileSync(
      calm,
      ['time,label', ...Array.from({ length: FRAMES }, (_, i) => `${time(i)},0`)].join('\n'),
    );
    await call(ingest, [maps, '--out', dataset, '--labels', calm]);
    committed = files();
    const one = await splitBy(
      `train=${day(1)}/${day(2)},test=${day(2)}/${day(3)}`,
      '--labels-source',
      'calm',
    );
    expectRefusal(one, 'ConfigError', /storm frames and calm ones/, { part: 'train', storm: 0 });
    const unsaid = await splitBy(`train=${day(1)}/${day(2)},test=${day(2)}/${day(3)}`);
    expectRefusal(unsaid, 'ConfigError', /--labels-source calm/);
  });

  it('has a footprint on both sides', async () => {
    const tiled = at('tiled');
    await fillHere(tiled, { sources: [maps], tiles: { size: 8, stride: 4 } });
    const config = at('tiles.yaml');
    const names = ['r000_c000', 'r000_c004', 'r000_c008'];
    writeFileSync(
      at('tiles.csv'),
      `time,series,label\n${names.map((name) => Array.from({ length: FRAMES }, (_, i) => `${time(i)},${name},${i % 2}`).join('\n')).join('\n')}`,
    );
    const split = { by: 'series', train: [names[0]], test: [names[1]] };
    const labels = { file: 'tiles.csv', unlabelled: 'ignore' };
    const yaml = {
      dataset: 'tiled',
      run: 'run',
      ingest: { sources: ['maps'], tiles: { size: 8, stride: 4 } },
      labels,
    };
    writeFileSync(config, JSON.stringify({ ...yaml, split }));
    expect((await call(ingest, ['--config', config])).json).toMatchObject({ series: 6 });
    const both = await call(train, [tiled, '--out', at('run'), '--config', config]);
    expectRefusal(both, 'LeakError', /footprints do not touch/, {
      series: ['r000_c000', 'r000_c004'],
      parts: ['train', 'test'],
    });
  });
});

describe('a model that does not fit', () => {
  it('is of other bands, another grid, or not there', async () => {
    const run = at('model');
    const parts = 'train=2005-12-01/2005-12-02,test=2005-12-02/2005-12-03';
    const args = [dataset, '--out', run, '--split', parts, '--labels-source', 'storms'];
    expect((await call(train, [...args, '--steps', '1', '--quiet'])).code).toBe(0);
    const fits = async (name: string, change: object) => {
      mkdirSync(at(name));
      for (const i of [0, 1]) writeFileSync(join(at(name), mapName(i)), map(i, change));
      await fillHere(at(`${name}-dataset`), { sources: [at(name)] });
      return call(label, [at(`${name}-dataset`), '--model', run, '--out', at('p.csv'), '--quiet']);
    };
    expectRefusal(await fits('water', { bandNames: ['wv'] }), 'ModelMismatchError', /--bands ir/, {
      found: ['wv'],
      expected: ['ir'],
    });
    expectRefusal(await fits('wide', { width: 20 }), 'ModelMismatchError', /--grid/);
    const none = await call(label, [dataset, '--model', at('no'), '--out', at('p.csv'), '--quiet']);
    expectRefusal(none, 'ModelMismatchError', /stormreel train/);
  });
});
