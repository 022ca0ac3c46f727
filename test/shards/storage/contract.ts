/** What every storage promises; each kind runs these against its own. */
import { expect, it } from 'vitest';
import { isMissing, type Storage } from '../../../pipeline/shards/index.js';

export function keepsTheContract(make: () => Promise<Storage>): void {
  it('gives back what was written, whole and by range, and its size', async () => {
    const storage = await make();
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
    await storage.replace('shards/a/one.arrow', bytes);
    expect(new Uint8Array(await storage.read('shards/a/one.arrow'))).toEqual(bytes);
    expect(await storage.size('shards/a/one.arrow')).toBe(1000);
    const file = await storage.open('shards/a/one.arrow');
    const part = new Uint8Array(10);
    await file.read(part, 0, 10, 500);
    await file.close();
    expect(part).toEqual(bytes.subarray(500, 510));
  });

  it('tells a file that is not there from every other fault', async () => {
    const storage = await make();
    expect(isMissing(await storage.read('none.json').catch((error) => error))).toBe(true);
    expect(isMissing(await storage.open('shards/none.arrow').catch((error) => error))).toBe(true);
    expect(await storage.size('none.json')).toBeNull();
    expect(await storage.list('labels')).toEqual([]);
    await storage.move('none.json', 'set-aside/none.json');
    await storage.remove('none.json');
  });

  it('creates a file once, whoever tries, and keeps the bytes of the first', async () => {
    const storage = await make();
    const tried = await Promise.all(
      Array.from({ length: 8 }, (_, i) => storage.createExclusive('commits/x.json', `writer ${i}`)),
    );
    expect(tried.filter(Boolean)).toHaveLength(1);
    expect(String(await storage.read('commits/x.json'))).toBe(`writer ${tried.indexOf(true)}`);
    expect(await storage.createExclusive('commits/x.json', 'late')).toBe(false);
    await storage.replace('commits/x.json', 'replaced');
    expect(String(await storage.read('commits/x.json'))).toBe('replaced');
  });

  it('lists a folder alone, or with all below it', async () => {
    const storage = await make();
    for (const name of ['dataset.json', 'plan/0001.jsonl', 'plan/0002.jsonl', 'shards/a/1', 'shards/b c+/2'])
      await storage.replace(name, name);
    expect((await storage.list('plan')).sort()).toEqual(['0001.jsonl', '0002.jsonl']);
    expect((await storage.list('shards')).sort()).toEqual(['a', 'b c+']);
    expect((await storage.list('shards', { deep: true })).sort()).toEqual(['a/1', 'b c+/2']);
    expect(await storage.list('')).toEqual(expect.arrayContaining(['dataset.json', 'plan', 'shards']));
  });

  it('moves a file, and removes a folder with all that is in it', async () => {
    const storage = await make();
    await storage.replace('shards/a/1', 'one');
    await storage.replace('shards/a/2/3', 'three');
    await storage.move('shards/a/1', 'set-aside/1');
    expect(String(await storage.read('set-aside/1'))).toBe('one');
    expect(await storage.list('shards', { deep: true })).toEqual(['a/2/3']);
    await storage.remove('shards/a/2');
    expect(await storage.list('shards', { deep: true })).toEqual([]);
  });
}
