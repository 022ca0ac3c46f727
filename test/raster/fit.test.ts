import { describe, expect, it } from 'vitest';
import { fitMap, scanSources } from '../../pipeline/raster/index.js';
import { IngestConfig } from '../../schemas/config/index.js';
import { at, inFolder, ingested, put, tif } from './sources.js';

inFolder();

const map = () => tif({ width: 4, height: 4, values: new Uint8Array(16) });

describe('a map for a dataset of tiles', () => {
  it('goes to the tiles of its own folder, not to those of a folder inside it', async () => {
    const config = { tiles: { size: 2, stride: 2 }, assumeUtc: true };
    await put({
      ...{ 'maps/a/20200101T00.tif': map(), 'maps/a/20200101T01.tif': map() },
      ...{ 'maps/a/b/20200101T00.tif': map(), 'maps/a/b/20200101T01.tif': map() },
    });
    const { description } = await ingested({ ...config, sources: [at('maps')] });
    expect(description.series).toHaveLength(8);
    for (const folder of ['a', 'a/b']) {
      await put({ [`maps/${folder}/20200101T02.tif`]: map() });
      const whole = IngestConfig.parse({ ...config, sources: [at('maps')], step: '1h' });
      const { maps } = await scanSources(whole);
      const late = maps.find(
        ({ series, time }) => series === folder.replace('/', '.') && time === Date.UTC(2020, 0, 1, 2),
      );
      const { series } = fitMap(late!, description, whole);
      expect(series).toHaveLength(4);
      for (const name of series) expect(name.slice(0, name.lastIndexOf('.'))).toBe(folder.replace('/', '.'));
    }
  });
});
