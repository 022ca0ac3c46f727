import { execFileSync } from 'node:child_process';
import { mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../pipeline/raster/limits.js';
import { checkPlanned, readPlanned } from '../../pipeline/raster/plannedFile.js';
import { readAhead } from '../../pipeline/raster/readAhead.js';
import { at, inFolder, put } from './sources.js';

inFolder();

async function planned(name: string) {
  const { size, mtimeMs } = await stat(at(name));
  return { path: at(name), size, mtimeMs, index: 0, bands: [{ from: 0, to: 0 }] };
}
const frame = (...sources: Awaited<ReturnType<typeof planned>>[]) => ({ time: 0, sources });

describe('readAhead()', () => {
  it('gives the bytes of the files that were begun, once', async () => {
    await put({ 'a.tif': 'one', 'b.tif': 'two' });
    const [a, b] = [await planned('a.tif'), await planned('b.tif')];
    const ahead = readAhead();
    ahead.begin(frame(a, b), DEFAULT_LIMITS);
    expect(Buffer.from((await ahead.take(b))!).toString()).toBe('two');
    expect(Buffer.from((await ahead.take(a))!).toString()).toBe('one');
    expect(ahead.take(a)).toBeNull();
    ahead.close();
  });

  it('gives up a frame that nobody took when another is begun, and all when it is closed', async () => {
    await put({ 'a.tif': 'one', 'b.tif': 'two' });
    const [a, b] = [await planned('a.tif'), await planned('b.tif')];
    const ahead = readAhead();
    ahead.begin(frame(a), DEFAULT_LIMITS);
    ahead.begin(frame(b), DEFAULT_LIMITS);
    expect(ahead.take(a)).toBeNull();
    ahead.close();
    expect(ahead.take(b)).toBeNull();
  });

  it('reads nothing of files that are read by range or are many megabytes', async () => {
    await put({ 'a.nc': 'one', 'b.tif': 'two' });
    const [a, b] = [await planned('a.nc'), await planned('b.tif')];
    const ahead = readAhead();
    ahead.begin(frame(a, { ...b, size: 2 ** 24 + 1 }), DEFAULT_LIMITS);
    expect(ahead.take(a)).toBeNull();
    expect(ahead.take({ ...b, size: 2 ** 24 + 1 })).toBeNull();
  });

  it('leaves what goes wrong to the turn of the frame', async () => {
    await put({ 'a.tif': 'one' });
    const a = await planned('a.tif');
    await rm(at('a.tif'));
    const ahead = readAhead();
    ahead.begin(frame(a), DEFAULT_LIMITS);
    expect(await ahead.take(a)).toBeNull();
  });
});

describe('readPlanned() and checkPlanned()', () => {
  const changed = { tag: 'SourceChangedError', message: expect.stringContaining('since it was planned') };
  const refused = async (source: Awaited<ReturnType<typeof planned>>, error: object) => {
    await expect(readPlanned(source, DEFAULT_LIMITS)).rejects.toMatchObject(error);
    await expect(checkPlanned(source, DEFAULT_LIMITS)).rejects.toMatchObject(error);
  };

  it('tell a file that is gone, is longer, is shorter or is of another time', async () => {
    await put({ 'a.tif': 'one' });
    const a = await planned('a.tif');
    expect(Buffer.from(await readPlanned(a, DEFAULT_LIMITS)).toString()).toBe('one');
    for (const text of ['longer', '1']) {
      await writeFile(at('a.tif'), text);
      await utimes(at('a.tif'), a.mtimeMs / 1000, a.mtimeMs / 1000);
      await refused(a, changed);
    }
    await writeFile(at('a.tif'), 'two');
    await utimes(at('a.tif'), 1, 1);
    await refused(a, changed);
    await rm(at('a.tif'));
    await refused(a, changed);
  });

  it.skipIf(process.platform === 'win32')(
    'tell a pipe or a folder in place of a file, and wait for neither',
    async () => {
      await put({ 'a.tif': 'one' });
      const a = await planned('a.tif');
      await rm(at('a.tif'));
      execFileSync('mkfifo', [at('a.tif')]);
      await refused(a, changed);
      await rm(at('a.tif'));
      await mkdir(at('a.tif'));
      await refused(a, changed);
    },
  );

  it('refuse a file that is too large before any of it is read', async () => {
    await put({ 'a.tif': 'one' });
    const limits = { ...DEFAULT_LIMITS, fileBytes: 2 };
    const error = { tag: 'BadRasterError', fields: { path: at('a.tif'), size: 3 } };
    await expect(readPlanned(await planned('a.tif'), limits)).rejects.toMatchObject(error);
    await expect(checkPlanned(await planned('a.tif'), limits)).rejects.toMatchObject(error);
  });
});
