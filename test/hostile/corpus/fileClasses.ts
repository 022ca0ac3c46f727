/** What is no file, or not the file it is named for. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { encodeGeoTiff } from '../../../pipeline/raster/index.js';
import type { HostileClass } from './case.js';

const bytes = encodeGeoTiff({
  ...{
    width: 16,
    height: 12,
    bands: 1,
    dtype: 'f32',
    crs: 'EPSG:4326',
    transform: [10, 0.5, 0, 45, 0, -0.5],
  },
  values: Float32Array.from({ length: 192 }, (_, i) => i),
});

export const fileClass = (): HostileClass => ({
  ...{ name: 'No files', ending: '.tif', healthy: () => bytes },
  cases: [
    { name: 'nothing in it', content: '' },
    { name: 'one byte', content: 'I' },
    { name: 'text', content: 'no map at all\n'.repeat(1_000) },
    { name: 'zeros', content: new Uint8Array(100_000) },
    { name: 'a web page', content: '<!DOCTYPE html><html><body>404 Not Found</body></html>' },
    { name: 'a gzip file', content: Buffer.from('1f8b0800000000000003', 'hex') },
    { name: 'an HDF5 file by its first bytes', content: Buffer.from('894844460d0a1a0a', 'hex') },
    { name: 'a folder', content: (path) => mkdirSync(path) },
    { name: 'a pipe', content: (path) => void execFileSync('mkfifo', [path]) },
    { name: 'a socket', content: listen },
    { name: 'a link to a device without end', content: (path) => symlinkSync('/dev/zero', path) },
    { name: 'a link to a device with nothing', content: (path) => symlinkSync('/dev/null', path) },
    { name: 'a link to nothing', content: (path) => symlinkSync(`${path}.gone`, path) },
    { name: 'a link to itself', content: (path) => symlinkSync(path, path) },
    { name: 'a link to its folder', content: (path) => symlinkSync(dirname(path), path) },
    { name: 'a link to the root', content: (path) => symlinkSync('/', path) },
    { name: 'a link to a map outside', content: outside },
    { name: 'a link to a secret', content: (path) => symlinkSync('/etc/passwd', path) },
  ],
});

/** A socket stays behind when nobody listens any more. */
async function listen(path: string): Promise<void> {
  const server = createServer();
  // The name of a socket may not be long: it is made under a short one.
  await new Promise<void>((done) => server.listen(path, done));
  server.unref();
}

function outside(path: string): void {
  const other = join(dirname(dirname(dirname(path))), 'elsewhere.tif');
  writeFileSync(other, bytes);
  symlinkSync(other, path);
}
