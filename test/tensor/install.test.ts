import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { command as backend } from '../../cli/backend.js';
import { installNative } from '../../pipeline/tensor/install/install.js';
import {
  addonPath,
  cacheFolder,
  installedAddon,
  variantFolder,
} from '../../pipeline/tensor/install/location.js';
import { withLock } from '../../pipeline/tensor/install/lock.js';
import { call } from '../integration/inProcess.js';

let folder: string;
const path = process.env.PATH;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stormreel-install-'));
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true, force: true });
});

/** A machine whose only programs are these shell scripts. */
function machine(programs: Record<string, string>): void {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  process.env.PATH = bin;
}

const cache = () => join(folder, 'cache');
const left = () => (existsSync(cache()) ? readdirSync(cache()) : []);

test('the cache is $STORMREEL_CACHE, else stormreel in $XDG_CACHE_HOME, else in ~/.cache', () => {
  expect(cacheFolder({ STORMREEL_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
  expect(cacheFolder({ XDG_CACHE_HOME: '/b' })).toBe('/b/stormreel');
  expect(cacheFolder({})).toMatch(/\.cache\/stormreel$/);
});

test('installedAddon() prefers the GPU variant and is null in an empty cache', () => {
  expect(installedAddon(cache())).toBeNull();
  for (const variant of ['cpu', 'gpu'] as const) {
    const addon = addonPath(variantFolder(variant, cache()));
    mkdirSync(dirname(addon), { recursive: true });
    writeFileSync(addon, '');
    expect(installedAddon(cache())).toBe(addon);
  }
});

test('an installation that is there is left alone, without any program', async () => {
  machine({});
  const addon = addonPath(variantFolder('cpu', cache()));
  mkdirSync(dirname(addon), { recursive: true });
  writeFileSync(addon, 'as it was');
  expect(await installNative({ cache: cache() })).toMatchObject({ fresh: false, variant: 'cpu' });
});

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(
  'installNative() on Linux x64',
  () => {
    test('says that pip is missing', async () => {
      machine({ 'g++': 'exit 0' });
      await expect(installNative({ cache: cache() })).rejects.toMatchObject({
        tag: 'BackendError',
        fields: { missing: 'pip' },
      });
    });

    test('says that a compiler is missing', async () => {
      machine({ python3: 'exit 0' });
      await expect(installNative({ cache: cache() })).rejects.toMatchObject({
        tag: 'BackendError',
        fields: { missing: 'g++' },
      });
    });

    test('says why pip could not download, and leaves nothing behind', async () => {
      const refuse =
        'case "$*" in *--version*) exit 0;; esac; echo "ERROR: No matching distribution" >&2; exit 1';
      machine({ python3: refuse, 'g++': 'exit 0' });
      await expect(installNative({ cache: cache() })).rejects.toMatchObject({
        tag: 'BackendError',
        fields: { missing: 'wheel', reason: expect.stringContaining('No matching distribution') },
      });
      expect(left()).toEqual([]);
    });

    test('sweeps what a killed installation left, and says so when the cache cannot be written', async () => {
      const refuse = 'case "$*" in *--version*) exit 0;; esac; exit 1';
      machine({ python3: refuse, 'g++': 'exit 0' });
      const work = `${variantFolder('cpu', cache()).replace(/([^/]+)$/, '.$1')}-killed`;
      mkdirSync(join(work, 'wheels'), { recursive: true });
      const other = `${variantFolder('gpu', cache()).replace(/([^/]+)$/, '.$1')}-atwork`;
      mkdirSync(other);
      await expect(installNative({ cache: cache() })).rejects.toMatchObject({ tag: 'BackendError' });
      expect(left()).toEqual([basename(other)]);
      const file = join(folder, 'file');
      writeFileSync(file, '');
      await expect(installNative({ cache: join(file, 'cache') })).rejects.toMatchObject({
        tag: 'BackendError',
        fields: { missing: 'cache' },
        hint: expect.stringContaining('STORMREEL_CACHE'),
      });
    });

    test('through the command: exit code 2, what is missing and that wasm does it too', async () => {
      machine({});
      const env = process.env.STORMREEL_CACHE;
      process.env.STORMREEL_CACHE = cache();
      try {
        const { code, json } = await call(backend, ['install', '--gpu']);
        expect(code).toBe(2);
        expect(json.error).toMatchObject({ tag: 'BackendError', fields: { missing: 'pip' } });
        expect(json.error.hint).toContain('--backend wasm');
      } finally {
        if (env === undefined) delete process.env.STORMREEL_CACHE;
        else process.env.STORMREEL_CACHE = env;
      }
    });

    test('stops the download when aborted, and leaves nothing behind', async () => {
      machine({ python3: 'case "$*" in *--version*) exit 0;; esac; exec /bin/sleep 30', 'g++': 'exit 0' });
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 300);
      const started = Date.now();
      await expect(installNative({ cache: cache(), signal: controller.signal })).rejects.toMatchObject({
        name: 'AbortError',
      });
      expect(Date.now() - started).toBeLessThan(10_000);
      expect(left()).toEqual([]);
    });
  },
);

test('withLock() lets one in at a time and frees the lock when the work throws', async () => {
  const lock = join(folder, 'x.lock');
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise((done) => setTimeout(done, 50));
    inside--;
  };
  await Promise.all([1, 2, 3].map(() => withLock(lock, work)));
  expect(most).toBe(1);
  await expect(
    withLock(lock, async () => {
      throw new RangeError('stop');
    }),
  ).rejects.toBeInstanceOf(RangeError);
  expect(existsSync(lock)).toBe(false);
});

test('withLock() takes over a lock whose process is gone', async () => {
  const lock = join(folder, 'x.lock');
  writeFileSync(lock, '4194304'); // above the largest process id of Linux
  expect(await withLock(lock, async () => 'in')).toBe('in');
});
