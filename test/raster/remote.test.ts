/** Maps on other machines give the dataset that the same maps give from a folder. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeGeoTiff, readGeoTiffHeader } from '../../pipeline/raster/geotiff/index.js';
import { DEFAULT_LIMITS } from '../../pipeline/raster/limits.js';
import { listMaps } from '../../pipeline/raster/list.js';
import { openPlanned } from '../../pipeline/raster/remoteBytes.js';
import { readPlan, storageAt } from '../../pipeline/shards/index.js';
import { fillHere } from '../integration/fillHere.js';
import { map, mapName, writeMaps } from '../integration/maps.js';
import { type HttpServer, startHttp } from '../servers/http.js';
import { hasS3, makeBucket, type S3Server, startS3 } from '../servers/s3.js';

const MAPS = 4;
let folder: string;
let local: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stormreel-remote-'));
  await writeMaps(join(folder, 'maps'), MAPS);
  local = await fillHere(join(folder, 'local'), { sources: [join(folder, 'maps')], series: 'one' });
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const names = Array.from({ length: MAPS }, (_, i) => mapName(i));
const bytesOf = (name: string) => readFile(join(folder, 'maps', name));
const fault = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error) => error,
  );

describe('maps over HTTP', () => {
  let server: HttpServer;
  beforeEach(async () => {
    server = await startHttp();
    for (const name of names) server.files.set(`d/${name}`, { bytes: await bytesOf(name) });
  });
  afterEach(() => server.close());
  const urls = () => names.map((name) => `${server.url}/d/${name}`);

  it('give the same dataset, with ranges and without', async () => {
    for (const ranges of [true, false]) {
      for (const file of server.files.values()) file.ranges = ranges;
      const dir = join(folder, `http-${ranges}`);
      expect(await fillHere(dir, { sources: urls(), series: 'one' })).toBe(local);
      const { slots } = await readPlan(dir);
      const [{ sources }] = slots[0].frames;
      expect(sources[0]).toMatchObject({ path: urls()[0], etag: '"v1"', mtimeMs: Date.UTC(2005, 11, 1) });
      expect(server.requests.length).toBe(3 * MAPS); // listed, described, decoded
      server.requests.length = 0;
    }
  });

  it('that changed after the plan are told, and planned anew', async () => {
    const dir = join(folder, 'changing');
    await fillHere(dir, { sources: urls(), series: 'one' });
    server.files.set(`d/${names[1]}`, { bytes: map(9), etag: '"v2"' });
    const planned = (await readPlan(dir)).slots[0].frames[1].sources[0];
    expect(await fault(openPlanned(planned, DEFAULT_LIMITS))).toMatchObject({
      tag: 'SourceChangedError',
      fields: { path: urls()[1] },
    });
    const changed = await fillHere(dir, { sources: urls(), series: 'one' });
    expect(changed).not.toBe(local);
    expect((await readPlan(dir)).revision).toBe(2);
  });

  it('that are large are read by range, only the parts that hold the map, and known by their ETag', async () => {
    const image = map(3, { width: 512, height: 512, compression: 'none' });
    const bytes = new Uint8Array(image.length + 2 ** 23); // something else behind it
    bytes.set(image);
    server.files.set('d/large.tif', { bytes });
    const [{ path, size, mtimeMs, etag }] = await listMaps([`${server.url}/d/large.tif`]);
    const planned = { path, size, mtimeMs, etag, index: 0, bands: [{ from: 0, to: 0 }] };
    const before = server.sent();
    const { source, sha256 } = await openPlanned(planned, DEFAULT_LIMITS, { wholeBytes: 1 });
    expect(sha256).toBe(`etag:"v1":${bytes.length}`);
    const {
      bands: [values],
    } = await decodeGeoTiff(source, await readGeoTiffHeader(source, DEFAULT_LIMITS), [0]);
    expect([values[0], values[512 * 512 - 1]]).toEqual([93, (93 + (512 * 512 - 1) * 7) % 4096]);
    expect(server.sent() - before).toBeLessThan(2 ** 20 + 2 ** 20);
    server.files.set('d/large.tif', { bytes, etag: null });
    const unknown = { ...planned, etag: undefined };
    expect(await fault(openPlanned(unknown, DEFAULT_LIMITS, { wholeBytes: 1 }))).toMatchObject({
      tag: 'ConfigError',
    });
  });

  it('are refused where they are not there or no GeoTIFF', async () => {
    expect(await fault(listMaps([`${server.url}/d/none.tif`]))).toMatchObject({
      tag: 'ConfigError',
      fields: { code: 'ENOENT' },
    });
    for (const path of ['d/', 'd/a.nc'])
      expect(await fault(listMaps([`${server.url}/${path}`]))).toMatchObject({
        tag: 'ConfigError',
        fields: { path: `${server.url}/${path}` },
      });
    expect(await fault(listMaps(['ftp://host/a.tif']))).toMatchObject({
      tag: 'ConfigError',
      fields: { scheme: 'ftp' },
    });
  });
});

describe.skipIf(!hasS3)('maps on S3', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3('moto');
    server.use();
    await makeBucket('maps', server);
    const bucket = storageAt('s3://maps');
    for (const name of names) await bucket.replace(`2005/dec/${name}`, await bytesOf(name));
    await bucket.replace('2005/notes.txt', 'not a map');
  });
  afterAll(() => server?.stop());
  const listed = async (source: string) => (await listMaps([source])).map(({ path }) => path);

  it('give the same dataset, on S3 or in a folder', async () => {
    for (const dir of [join(folder, 's3'), 's3://maps/dataset'])
      expect(await fillHere(dir, { sources: ['s3://maps/2005'], series: 'one' })).toBe(local);
  });

  it('are named by prefix, by pattern or one by one', async () => {
    const all = names.map((name) => `s3://maps/2005/dec/${name}`).sort();
    expect(await listed('s3://maps/2005/')).toEqual(all);
    expect(await listed('s3://maps/2005/**/*.tif')).toEqual(all);
    expect(await listed('s3://maps/2005/*.tif').catch((error) => error.tag)).toBe('ConfigError');
    expect(await listed(`s3://maps/2005/dec/*T0?00Z.tif`)).toEqual(all);
    expect(await listed(all[1])).toEqual([all[1]]);
    expect((await listMaps(['s3://maps/2005']))[0]).toMatchObject({ folders: ['dec'], source: '2005' });
  });

  it('are refused where they are not there, and those of other formats by name', async () => {
    expect(await fault(listMaps(['s3://maps/2005/none.tif']))).toMatchObject({ fields: { code: 'ENOENT' } });
    expect(await fault(listMaps(['s3://maps/empty']))).toMatchObject({ tag: 'ConfigError' });
    await storageAt('s3://maps').replace('mixed/a.nc', 'x');
    for (const chunk of ['.zattrs', '0.0', '0.1'])
      await storageAt('s3://maps').replace(`mixed/b.zarr/${chunk}`, 'x');
    expect(await listMaps(['s3://maps/mixed'])).toMatchObject([
      { path: 's3://maps/mixed/a.nc', fault: { tag: 'ConfigError', fields: { ending: '.nc' } } },
      { path: 's3://maps/mixed/b.zarr', fault: { tag: 'ConfigError', fields: { ending: '.zarr' } } },
    ]);
  });
});
