/** docs/data-format.md names every column that lies on disk, in order. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Schema, tableFromIPC } from 'apache-arrow';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeScores } from '../../pipeline/anomaly/index.js';
import { writeAttention, writeEvents, writePredictions } from '../../pipeline/labelling/index.js';
import { joinLabels, readLabels, saveLabels } from '../../pipeline/labels/index.js';
import { type Dataset, openDataset } from '../../pipeline/shards/index.js';
import { writeSeason } from '../../pipeline/simulation/index.js';
import { shardSchema } from '../../schemas/arrow/index.js';
import { LabelsConfig } from '../../schemas/config/index.js';
import { DatasetDescription, type EventRow } from '../../schemas/records/index.js';
import { fillHere } from '../integration/fillHere.js';

const page = readFileSync(new URL('../../docs/data-format.md', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'stormreel-format-'));
const dir = join(folder, 'dataset');
let store: Dataset;

beforeAll(async () => {
  const { labels } = await writeSeason(join(folder, 'maps'), { frames: 30, size: 16, storms: 1, seed: 2 });
  await fillHere(dir, { sources: [join(folder, 'maps')] });
  store = await openDataset(dir);
  const config = LabelsConfig.parse({ file: labels, source: 'truth' });
  await saveLabels(dir, joinLabels(store, await readLabels(config, { baseDir: '.' }), config), store);
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** First cells of the table under a heading. */
function columns(heading: string): string[] {
  const [, section] = page.split(`\n## ${heading}`);
  const [text] = section.split('\n## ');
  return [...text.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
}
const names = (schema: Schema): string[] => schema.fields.map((field) => field.name);
const arrow = (path: string) => tableFromIPC(readFileSync(path)).schema;

describe('docs/data-format.md', () => {
  it('names the keys of dataset.json', () => {
    expect(columns('dataset.json')).toEqual(Object.keys(DatasetDescription.shape));
  });

  it('names the columns of shards, manifest and labels', () => {
    expect(columns('shards')).toEqual(names(shardSchema(store.description, true)));
    const [series] = readdirSync(join(dir, 'shards'));
    const [shard] = readdirSync(join(dir, 'shards', series));
    expect(columns('shards')).toEqual(
      expect.arrayContaining(names(arrow(join(dir, 'shards', series, shard)))),
    );
    const manifest = arrow(join(dir, store.manifest));
    expect(columns('manifest')).toEqual(names(manifest));
    expect(manifest.metadata.get('hash')).toBe(store.hash);
    const labels = arrow(join(dir, 'labels/truth.arrow'));
    expect(columns('labels')).toEqual(names(labels));
    expect([...labels.metadata.keys()].sort()).toEqual(['hash', 'rule', 'seal', 'source']);
  });

  it('names the columns of predictions, events, scores and attention', async () => {
    const at = (name: string) => join(folder, name);
    const row = { series: 'a', time: 0, logit: 0, probability: 0.5, event_id: null, context: 1 };
    await writePredictions(at('p.parquet'), [{ ...row, predicted: 0, split: 'none' }]);
    const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(at('p.parquet')));
    expect(columns('predictions')).toEqual(schema.slice(1).map((column) => column.name));
    const event = {
      event_id: 1,
      series: 'a',
      start: 0,
      end: 0,
      frames: 1,
      peak_time: 0,
      lat: null,
      lon: null,
    };
    const events: EventRow[] = [{ ...event, peak_probability: 1, mean_probability: 1 }];
    await writeEvents({ csv: at('e.csv'), geojson: at('e.geojson') }, events);
    expect(columns('events')).toEqual(readFileSync(at('e.csv'), 'utf8').split('\n')[0].split(','));
    const scores = { score: 1, window_score: 1, p_value: 1, pca: 1, persistence: 1, norm: null };
    await writeScores(at('s.csv'), [{ series: 'a', time: 0, ...scores, split: 'none' }]);
    expect(columns('scores')).toEqual(readFileSync(at('s.csv'), 'utf8').split('\n')[0].split(','));
    const maps = new Float32Array(store.index.length * 256);
    const size = { width: 16, height: 16 };
    const taps = [{ ...size, name: 'block0', maps }];
    const scale = new Float32Array(store.index.length);
    await writeAttention(at('attention.arrow'), store.index, maps, size, { taps, scale });
    const attention = arrow(at('attention.arrow'));
    expect(columns('attention')).toEqual(names(attention));
    expect([...attention.metadata.keys()].sort()).toEqual(['height', 'taps', 'width']);
  });
});
