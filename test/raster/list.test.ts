/** What stands where a map should be: links, pipes, sockets, devices and folders. */
import { execFileSync } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { at, inFolder, ingested, put, refusal, tif } from './sources.js';

inFolder();

const two = { 'maps/20051201Z.tif': tif(), 'maps/20051202Z.tif': tif() };
const maps = () => ({ sources: [at('maps')] });
const skipped = async (config: object = {}) => {
  const { rejected, times } = await ingested({ ...maps(), onBadFrame: 'skip', ...config });
  expect(times[0]).toHaveLength(2);
  return rejected;
};

describe('a link in a folder', () => {
  it('that leads out of the source is refused with its target, left out under skip, and read when asked', async () => {
    await put({ ...two, 'secret/20051203Z.tif': tif() });
    await symlink(at('secret/20051203Z.tif'), at('maps/20051203Z.tif'));
    expect(await refusal(maps())).toMatchObject({
      tag: 'ConfigError',
      fields: { path: at('maps/20051203Z.tif'), target: expect.stringContaining('secret') },
      hint: expect.stringContaining('--follow-links'),
    });
    expect(await skipped()).toMatchObject([{ path: at('maps/20051203Z.tif'), tag: 'ConfigError' }]);
    expect((await ingested({ ...maps(), followLinks: true })).times[0]).toHaveLength(3);
    expect((await ingested({ sources: [at('maps/20051203Z.tif')] })).times[0]).toHaveLength(1);
  });

  it('to nothing, to itself or to a device is left out under skip', async () => {
    await put(two);
    await symlink(at('nowhere'), at('maps/20051203Z.tif'));
    await symlink(at('maps/20051204Z.tif'), at('maps/20051204Z.tif'));
    await symlink('/dev/zero', at('maps/20051205Z.tif'));
    expect((await skipped()).map(({ tag }) => tag)).toEqual(['ConfigError', 'ConfigError', 'BadRasterError']);
  });
});

describe('a name of a map', () => {
  it('of a pipe, a socket or a folder is refused with what it is', async () => {
    await put(two);
    execFileSync('mkfifo', [at('maps/20051203Z.tif')]);
    const server = createServer();
    await new Promise<void>((done) => server.listen(at('maps/20051204Z.tif'), done));
    await mkdir(at('maps/20051205Z.tif'));
    try {
      expect(await refusal(maps())).toMatchObject({ tag: 'BadRasterError', fields: { found: 'a pipe' } });
      const reasons = (await skipped()).map(({ reason }) => reason);
      expect(reasons).toMatchObject(
        ['a pipe', 'a socket', 'a folder without maps'].map((found) => expect.stringContaining(found)),
      );
    } finally {
      server.close();
    }
  });

  it('of a folder with maps is a folder', async () => {
    await put({ 'maps/2005.tif/20051201Z.tif': tif(), 'maps/2005.tif/20051202Z.tif': tif() });
    expect(await skipped()).toEqual([]);
  });
});

describe('a sidecar', () => {
  it('that is a pipe or has no end is never read: the name counts, and without a time in it the map is refused', async () => {
    await put({ ...two, 'other/a.tif': tif() });
    execFileSync('mkfifo', [at('maps/20051201Z.json')]);
    await symlink('/dev/zero', at('other/a.json'));
    expect((await ingested(maps())).times[0]).toHaveLength(2);
    expect(await refusal({ sources: [at('other')] })).toMatchObject({ tag: 'TimeError' });
  });
});

describe('a map without a time', () => {
  it('is left out under skip, but not when most are without one', async () => {
    await put({ ...two, 'maps/cover.tif': tif() });
    expect(await skipped()).toMatchObject([{ tag: 'TimeError' }]);
    await put({ 'maps/a.tif': tif(), 'maps/b.tif': tif() });
    expect(await refusal({ ...maps(), onBadFrame: 'skip' })).toMatchObject({ tag: 'TimeError' });
  });
});
