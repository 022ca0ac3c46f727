import { chmod, symlink } from 'node:fs/promises';
import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { at, inFolder, ingested, put, refusal, tif } from './sources.js';

inFolder();
const DAY = '2005-12-01T00:00:00.000Z';

describe('series of maps', () => {
  it('are named after folders, in path order; times within them increase', async () => {
    await put({ 'west/20051202Z.tif': tif(), 'west/20051201Z.tif': tif(), 'a/b/20051201Z.tif': tif() });
    const { series, times } = await ingested();
    expect(series).toEqual(['a.b', 'west']);
    expect(times).toEqual([[DAY], [DAY, '2005-12-02T00:00:00.000Z']]);
  });

  it('are named by the pattern, or by --series, which makes them one', async () => {
    await put({ 'x/ionian_20051201Z.tif': tif(), 'y/tyrrhenian_20051202Z.tif': tif() });
    expect((await ingested({ time: '{series}_{YYYY}{MM}{DD}Z.tif' })).series).toEqual([
      'ionian',
      'tyrrhenian',
    ]);
    const one = await ingested({ series: 'all' });
    expect([one.series, one.times[0].length]).toEqual([['all'], 2]);
  });

  it('of folders whose names become one are refused, not mixed', async () => {
    await put({ '東京/20051201Z.tif': tif(), '大阪/20051202Z.tif': tif() });
    expect(await refusal()).toMatchObject({
      tag: 'ConfigError',
      fields: { name: '_', found: expect.arrayContaining(['東京', '大阪']) },
      hint: expect.stringContaining('--series'),
    });
    expect((await ingested({ series: '..' })).series).toEqual(['_']);
  });

  it('come from names with spaces and letters of any script, globs and links', async () => {
    await put({ 'sea map ü 20051201Z.tif': tif(), '[old] (1) 20051202Z.tif': tif(), 'notes.txt': 'x' });
    await symlink(at('[old] (1) 20051202Z.tif'), at('link 20051203Z.tif'));
    expect((await ingested()).times[0]).toHaveLength(3);
    expect((await ingested({ sources: [at('sea*Z.tif')] })).times).toEqual([[DAY]]);
    expect((await ingested({ sources: [at('*(1)*.tif')] })).times[0]).toHaveLength(1);
  });
});

describe('times of maps', () => {
  it('come from a sidecar or a tag where the name has none', async () => {
    await put({ 'a.tif': tif(), 'a.json': '{"time": "2005-12-01T01:00:00+01:00"}' });
    expect((await ingested()).times).toEqual([[DAY]]);
    await put({ 'b.tif': tif({ dateTime: Date.parse('2005-12-02') }) });
    expect((await ingested({ assumeUtc: true })).times[0]).toHaveLength(2);
  });

  it('that differ between name and inside are refused until a pattern decides', async () => {
    await put({ '20051201Z.tif': tif(), '20051201Z.json': '{"time": "2005-12-02T00:00Z"}' });
    expect(await refusal()).toMatchObject({
      tag: 'TimeError',
      fields: { name: Date.parse('2005-12-01'), inside: Date.parse('2005-12-02') },
      hint: expect.stringContaining('--time'),
    });
    expect((await ingested({ time: '{YYYY}{MM}{DD}Z.tif' })).times).toEqual([[DAY]]);
  });

  it('that are there twice: an error, the first or the last in path order', async () => {
    await put({ 'a_20051201Z.tif': tif(), 'b_20051201Z.tif': tif({ values: new Uint8Array(6).fill(9) }) });
    expect(await refusal()).toMatchObject({ tag: 'TimeError', fields: { time: Date.parse('2005-12-01') } });
    expect(await (await ingested({ duplicates: 'first' })).decode()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await (await ingested({ duplicates: 'last' })).decode()).toEqual([9, 9, 9, 9, 9, 9]);
  });
});

describe('bands of maps', () => {
  it('may lie in one file each', async () => {
    await put({
      '20051201Z_wv.tif': tif({ bandNames: undefined, values: new Uint8Array(6).fill(7) }),
      '20051201Z_ir.tif': tif({ bandNames: undefined }),
    });
    const time = '{YYYY}{MM}{DD}Z_{band}.tif';
    const { description, decode } = await ingested({ time, bands: ['ir', 'wv'] });
    expect(description.bands.map(({ name }) => name)).toEqual(['ir', 'wv']);
    expect(await decode()).toEqual([0, 7, 1, 7, 2, 7, 3, 7, 4, 7, 5, 7]);
    await put({ '20051202Z_ir.tif': tif({ bandNames: undefined }) });
    expect(await refusal({ time, bands: ['ir', 'wv'] })).toMatchObject({
      tag: 'BandMismatchError',
      fields: { found: ['ir'], expected: ['ir', 'wv'] },
    });
  });

  it('are chosen and put in order by name, whatever their order in the file', async () => {
    const values = Uint8Array.from({ length: 12 }, (_, i) => (i % 2 ? 100 : 0) + (i >> 1));
    await put({
      '20051201Z.tif': tif({ bands: 2, values }),
      '20051202Z.tif': tif({ bands: 2, values, bandNames: ['wv', 'ir'] }),
    });
    const { decode } = await ingested({ bands: ['wv'] });
    expect(await decode(0)).toEqual([100, 101, 102, 103, 104, 105]);
    expect(await decode(1)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('maps that do not fit, with onBadFrame: skip', () => {
  it('are left out one by one with tag and reason', async () => {
    const good = Object.fromEntries([1, 2, 3, 4, 5, 6].map((d) => [`2005120${d}Z.tif`, tif()]));
    const wide = tif({ width: 4, values: new Uint8Array(8) });
    await put({ ...good, '20051207Z.tif': wide, '20051208Z.tif': tif({ bandNames: ['sst'] }) });
    await put({ '20051209Z.tif': 'no map' });
    const { times, rejected } = await ingested({ onBadFrame: 'skip' });
    expect(times[0]).toHaveLength(6);
    expect(rejected.map(({ tag }) => tag)).toEqual([
      'BadRasterError',
      'GridMismatchError',
      'BandMismatchError',
    ]);
  });

  it('are an error where they are the greater part: then the first map is the odd one', async () => {
    const wide = tif({ width: 4, values: new Uint8Array(8) });
    await put({ '20051201Z.tif': wide, '20051202Z.tif': tif(), '20051203Z.tif': tif() });
    expect(await refusal({ onBadFrame: 'skip' })).toMatchObject({ tag: 'GridMismatchError' });
    await put({ '20051201Z.tif': 'x', '20051202Z.tif': 'x', '20051203Z.tif': 'x' });
    expect(await refusal({ onBadFrame: 'skip' })).toMatchObject({ tag: 'ConfigError' });
  });
});

describe('class folders', () => {
  const classes = { classFolders: ['calm', 'storm'] };

  it('are one series in the order of time, whether their parent or they themselves are named', async () => {
    await put({
      'sea/calm/20051201Z.tif': tif(),
      'sea/storm/20051202Z.tif': tif(),
      'sea/calm/20051203Z.tif': tif(),
    });
    for (const sources of [[at('sea')], [at('sea/storm'), at('sea/calm')]]) {
      const { series, times } = await ingested({ sources }, classes);
      expect(series).toEqual(['sea']);
      expect(times[0].map((t) => t.slice(8, 10))).toEqual(['01', '02', '03']);
    }
  });
});

describe('files that may not be read', () => {
  /** Root may read everything, so the test stops being root for a moment. */
  async function asNobody<T>(work: () => Promise<T>): Promise<T> {
    const root = process.getuid?.() === 0;
    if (root) process.seteuid?.(65534);
    try {
      return await work();
    } finally {
      if (root) process.seteuid?.(0);
    }
  }

  it('are a ConfigError that says so, for maps, pictures and folders', async () => {
    await put({ 'maps/20051201Z.tif': tif(), 'pictures/20051201Z.png': 'x', 'closed/20051201Z.tif': tif() });
    for (const name of ['.', 'maps', 'pictures']) await chmod(at(name), 0o755);
    for (const name of ['maps/20051201Z.tif', 'pictures/20051201Z.png', 'closed']) await chmod(at(name), 0);
    for (const name of ['maps', 'pictures', 'closed'])
      expect(await asNobody(() => refusal({ sources: [at(name)] }))).toMatchObject({
        tag: 'ConfigError',
        fields: { code: 'EACCES', path: expect.stringContaining(name) },
        hint: expect.stringContaining('chmod'),
      });
    await chmod(at('closed'), 0o755);
  });
});

describe('a picture that claims to be huge', () => {
  it('is refused by its header', async () => {
    const chunk = (type: string, data: Uint8Array) => {
      const body = Buffer.concat([Buffer.from(type), data]);
      const out = Buffer.alloc(8 + data.length + 4);
      out.writeUInt32BE(data.length);
      body.copy(out, 4);
      out.writeUInt32BE(crc32(body), out.length - 4);
      return out;
    };
    const header = Buffer.alloc(13);
    for (const o of [0, 4]) header.writeUInt32BE(60_000, o);
    header.set([8, 0], 8);
    const pixels = chunk('IDAT', deflateSync(new Uint8Array(1000)));
    const png = [
      Buffer.from('89504e470d0a1a0a', 'hex'),
      chunk('IHDR', header),
      pixels,
      chunk('IEND', header.subarray(13)),
    ];
    await put({ 'a.png': Buffer.concat(png) });
    expect(await refusal({ pictures: true })).toMatchObject({
      tag: 'BadRasterError',
      fields: { path: at('a.png') },
    });
  });
});
