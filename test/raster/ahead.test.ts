import { describe, expect, it } from 'vitest';
import { headersAhead } from '../../pipeline/raster/ahead.js';
import type { MapHeader } from '../../pipeline/raster/map.js';

const files = (count: number, path: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => ({ path: path(i), size: 1, mtimeMs: 0, folders: [], source: 'a' }));

describe('headersAhead', () => {
  it('asks for headers on other machines some files ahead, once each, and gives them in order', async () => {
    const asked: string[] = [];
    let open = 0;
    let most = 0;
    const header = headersAhead(
      files(40, (i) => `https://host/${i}.tif`),
      async (path) => {
        asked.push(path);
        most = Math.max(most, ++open);
        await new Promise((done) => setTimeout(done, 2));
        open--;
        return { timeText: path } as MapHeader;
      },
    );
    for (let i = 0; i < 40; i++) expect((await header(i)).timeText).toBe(`https://host/${i}.tif`);
    expect(new Set(asked).size).toBe(40);
    expect(asked.length).toBe(40);
    expect(most).toBe(16);
  });

  it('reads files of this machine when their turn comes, and tells a fault at its own place', async () => {
    const asked: string[] = [];
    const read = async (path: string) => {
      asked.push(path);
      if (path.endsWith('1.tif')) throw new Error('torn');
      return { timeText: path } as MapHeader;
    };
    const local = headersAhead(
      files(3, (i) => `/maps/${i}.tif`),
      read,
    );
    await local(0);
    expect(asked).toEqual(['/maps/0.tif']);
    const remote = headersAhead(
      files(3, (i) => `s3://maps/${i}.tif`),
      read,
    );
    await remote(0);
    await expect(remote(1)).rejects.toMatchObject({ message: 'torn' });
    await remote(2);
  });
});
