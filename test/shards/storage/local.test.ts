import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { datasetAddress, storageAt } from '../../../pipeline/shards/index.js';
import { keepsTheContract } from './contract.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stormreel-storage-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const made = async () => {
  const storage = storageAt(join(folder, 'dataset'));
  await storage.prepare();
  return storage;
};

describe('a folder', () => {
  keepsTheContract(made);

  it('sweeps what killed writers left and nothing else', async () => {
    const storage = await made();
    await storage.replace('labels/l.arrow', 'labels');
    for (const place of ['.', 'plan', 'commits', 'labels'])
      await writeFile(join(storage.address, place, '.tmp-left'), '');
    await storage.sweep();
    const left = await readdir(storage.address, { recursive: true });
    expect(left.sort()).toEqual(['commits', 'labels', 'labels/l.arrow', 'plan', 'shards']);
  });

  it('says what is wrong where no folder can be made', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(storageAt(join(folder, 'file', 'dataset')).prepare()).rejects.toMatchObject({
      tag: 'ConfigError',
      fields: { dir: join(folder, 'file', 'dataset'), code: 'ENOTDIR' },
    });
    await mkdir(join(folder, 'whole'));
    await storageAt(join(folder, 'whole')).prepare();
  });
});

describe('datasetAddress', () => {
  it('makes paths absolute from the folder they are meant from', () => {
    expect(datasetAddress('data', { base: '/a/b' })).toBe('/a/b/data');
    expect(datasetAddress('/data/')).toBe('/data');
  });

  it('refuses addresses that it does not know', () => {
    for (const address of ['ftp://host/data', 'HTTP://host/data'])
      expect(() => datasetAddress(address)).toThrow(
        expect.objectContaining({
          tag: 'ConfigError',
          fields: { scheme: address.split(':')[0].toLowerCase() },
        }),
      );
  });
});
