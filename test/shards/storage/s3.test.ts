import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listObjects, parseS3 } from '../../../pipeline/remote/index.js';
import { datasetAddress, storageAt } from '../../../pipeline/shards/index.js';
import { hasS3, makeBucket, type S3Server, startS3 } from '../../servers/s3.js';
import { keepsTheContract } from './contract.js';

let count = 0;
const made = async () => {
  const storage = storageAt(`s3://maps/contract ${++count}`);
  await storage.prepare();
  return storage;
};

describe.skipIf(!hasS3)('a prefix of a bucket', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3('moto');
    await makeBucket('maps', server);
    server.use();
  });
  afterAll(() => server?.stop());
  const copies = () => readdirSync(join(server.env.STORMREEL_CACHE, 'objects'));

  keepsTheContract(made);

  it('lets one of two writers win, fifty times', async () => {
    const storage = await made();
    for (let i = 0; i < 50; i++) {
      const name = `commits/${i}.json`;
      const [one, other] = await Promise.all([
        storage.createExclusive(name, 'one'),
        storage.createExclusive(name, 'other'),
      ]);
      expect([one, other].filter(Boolean)).toHaveLength(1);
      expect(String(await storage.read(name))).toBe(one ? 'one' : 'other');
    }
  });

  it('lists more objects than one answer holds', async () => {
    const storage = await made();
    const names = Array.from({ length: 25 }, (_, i) => `${i}.jsonl`);
    await Promise.all(names.map((name) => storage.replace(`plan/${name}`, '')));
    const { objects } = await listObjects(parseS3(storage.locate('plan')), { pageSize: 10 });
    expect(objects.map(({ name }) => name).sort()).toEqual(names.sort());
  });

  it('leaves no probe behind', async () => {
    expect((await (await made()).list('')).length).toBe(0);
  });

  it('keeps copies within the limit, the last used ones, and never loses one that is open', async () => {
    const storage = await made();
    process.env.STORMREEL_CACHE_BYTES = '2500';
    try {
      const files = [];
      for (let i = 0; i < 4; i++) {
        await storage.replace(`shards/a/${i}`, new Uint8Array(1000).fill(i));
        files.push(await storage.open(`shards/a/${i}`));
      }
      expect(copies()).toHaveLength(2);
      for (const [i, file] of files.entries()) {
        expect((await file.readFile()).every((byte) => byte === i)).toBe(true);
        await file.close();
      }
    } finally {
      delete process.env.STORMREEL_CACHE_BYTES;
    }
  });

  it('takes a replaced object anew, and a damaged copy once it is forgotten', async () => {
    const storage = await made();
    const text = async () => {
      const file = await storage.open('shards/a/1');
      const found = await file.readFile('utf8');
      await file.close();
      return found;
    };
    await storage.replace('shards/a/1', 'first');
    const before = new Set(copies());
    expect(await text()).toBe('first');
    const [copy] = copies().filter((name) => !before.has(name));
    writeFileSync(join(server.env.STORMREEL_CACHE, 'objects', copy), 'FIRST');
    expect(await text()).toBe('FIRST');
    expect(await storage.forget('shards/a/1')).toBe(true);
    expect(await text()).toBe('first');
    await storage.replace('shards/a/1', 'other');
    expect(await text()).toBe('other');
  });

  it('says that there is no such bucket', async () => {
    await expect(storageAt('s3://not-there/data').prepare()).rejects.toMatchObject({
      tag: 'ConfigError',
      fields: { address: expect.stringContaining('s3://not-there/data'), found: 'there is no such bucket' },
    });
  });
});

describe.skipIf(!hasS3)('a server that does not hold to conditions', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3('nanio');
    await makeBucket('maps', server);
    server.use();
  });
  afterAll(() => server?.stop());

  it('is refused before anything is committed', async () => {
    const storage = storageAt('s3://maps/data');
    const refused = { tag: 'ConfigError', fields: { address: 's3://maps/data' } };
    await expect(storage.prepare()).rejects.toMatchObject(refused);
    await expect(storage.createExclusive('commits/a.json', '{}')).rejects.toMatchObject(refused);
    expect(await storage.list('', { deep: true })).toEqual([]);
  });

  it('tells wrong credentials without showing them', async () => {
    process.env.AWS_SECRET_ACCESS_KEY = 'wrong-secret-9';
    process.env.AWS_REGION = 'us-west-2'; // another client
    const error = await storageAt('s3://maps/data')
      .read('dataset.json')
      .catch((found) => found);
    expect(error).toMatchObject({ tag: 'ConfigError', hint: expect.stringContaining('AWS_ACCESS_KEY_ID') });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/wrong-secret-9|AKIDTEST/);
    server.use();
  });
});

describe('an address of object storage', () => {
  it('has one spelling', () => {
    expect(datasetAddress('s3://maps//a/b/')).toBe('s3://maps/a/b');
    expect(datasetAddress('S3://maps')).toBe('s3://maps');
  });

  it('is refused when it names no bucket, and shows no password', () => {
    for (const address of ['s3://', 's3://A_B/c', 's3://maps/../other', 's3://key:secret@maps/a'])
      expect(() => datasetAddress(address)).toThrow(
        expect.objectContaining({ tag: 'ConfigError', message: expect.not.stringContaining('secret') }),
      );
  });
});
