import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { command } from '../../cli/anomaly.js';
import { saveLabels } from '../../pipeline/labels/index.js';
import { createDataset, finalise, openDataset, openSlots, writeSlot } from '../../pipeline/shards/index.js';
import { Metrics, type PlannedFrame, type ScoreRow } from '../../schemas/records/index.js';
import { type Made, made } from './fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-anomaly-'));
const at = (name: string) => join(folder, name);
const STORMS = [20, 21, 90, 91, 105, 116];

beforeAll(async () => {
  await write('dataset', made({ frames: 120, strange: STORMS }), true);
  await write('other', made({ frames: 12, band: 'z500' }), false);
  writeFileSync(
    at('stormreel.yaml'),
    JSON.stringify({
      dataset: 'dataset',
      run: 'run',
      ingest: { sources: ['maps'] },
      labels: {},
      split: {
        by: 'dates',
        train: ['2020-01-01', '2020-01-21'],
        test: ['2020-01-22', '2020-02-01'],
        embargo: '1d',
      },
      model: { channels: { anomaly: 'frame', laplacian: true, coordinates: true } },
      training: { windowLength: 4 },
      anomaly: { features: 3, windowLength: 4, units: 6, latent: 2, steps: 20 },
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** What the command prints on stdout with --json. */
async function anomaly(...flags: string[]) {
  const lines: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  await command().parseAsync([...flags, '--json', '--quiet'], { from: 'user' });
  vi.restoreAllMocks();
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0]);
}

async function rowsOf(path: string): Promise<ScoreRow[]> {
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return (await parquetReadObjects({ file })) as unknown as ScoreRow[];
}

describe('stormreel anomaly', () => {
  it('fit leaves a model, scores of every frame and its metrics beside those that were there', async () => {
    const evaluations = { note: 1 };
    mkdirSync(at('run'));
    writeFileSync(at('run/metrics.json'), JSON.stringify({ evaluations, ladder: [] }));
    const printed = await anomaly('fit', at('dataset'), '--out', at('run'), '--config', at('stormreel.yaml'));
    expect(printed).toMatchObject({ frames: 120, bad: 0, calibration: { words: expect.any(String) } });
    const metrics = JSON.parse(readFileSync(at('run/metrics.json'), 'utf8'));
    expect(metrics.evaluations).toEqual(evaluations);
    expect(Metrics.shape.anomaly.parse(metrics.anomaly)).toHaveLength(4);
    expect(printed.metrics).toEqual(metrics.anomaly);
    const rows = await rowsOf(at('run/scores.parquet'));
    expect(rows).toHaveLength(120);
    expect(Object.keys(rows[0])).toEqual([
      'series',
      'time',
      'score',
      'window_score',
      'p_value',
      'pca',
      'persistence',
      'norm',
      'split',
    ]);
    expect(rows[0]).toMatchObject({ series: 'a', persistence: null, split: 'train' });
    expect(rows[119].split).toBe('test');
    const [header, first] = readFileSync(at('run/scores.csv'), 'utf8').split('\n');
    expect(header).toBe('series,time,score,window_score,p_value,pca,persistence,norm,split');
    expect(first).toMatch(/^a,2020-01-01T00:00Z,/);
    const bytes = readFileSync(at('run/scores.parquet'));
    await anomaly('fit', at('dataset'), '--out', at('again'), '--config', at('stormreel.yaml'));
    expect(readFileSync(at('again/scores.parquet')).equals(bytes)).toBe(true);
  });

  it('score gives the same numbers with the saved model', async () => {
    await anomaly('score', at('dataset'), '--model', at('run'), '--out', at('scored.parquet'));
    const numbers = (rows: ScoreRow[]) => rows.map(({ split: _, ...row }) => row);
    expect(numbers(await rowsOf(at('scored.parquet')))).toEqual(
      numbers(await rowsOf(at('run/scores.parquet'))),
    );
  });

  it('score refuses a dataset with other bands, a run without a model and a file of another kind', async () => {
    const { error } = await anomaly('score', at('other'), '--model', at('run'), '--out', at('x.csv'));
    expect(error).toMatchObject({ tag: 'ModelMismatchError', fields: { found: ['z500'] } });
    expect(process.exitCode).toBe(2);
    const missing = await anomaly('score', at('dataset'), '--model', at('none'), '--out', at('x.csv'));
    expect(missing.error).toMatchObject({
      tag: 'ModelMismatchError',
      hint: expect.stringMatching(/anomaly fit/),
    });
    const kind = await anomaly('score', at('dataset'), '--model', at('run'), '--out', at('x.txt'));
    expect(kind.error.tag).toBe('ConfigError');
  });

  it('fit needs neither config nor labels', async () => {
    const printed = await anomaly('fit', at('other'), '--out', at('plain'), '--steps', '5');
    expect(printed).toMatchObject({
      frames: 12,
      bad: 0,
      metrics: [],
      calibration: { n: 0, smallestP: null },
    });
    const { config } = JSON.parse(readFileSync(at('plain/anomaly/model.json'), 'utf8'));
    expect(config).toMatchObject({ steps: 5, seed: 0, cell: 'gru' });
  });
});

async function write(name: string, { store, labels }: Made, withLabels: boolean): Promise<void> {
  const { index, description } = store;
  const frames: PlannedFrame[] = Array.from(index.time, (time, i) => ({
    time,
    sources: [{ path: `frame${i}`, size: 1, mtimeMs: 0, index: i, bands: [{ from: 0, to: 0 }] }],
  }));
  await createDataset(at(name), description, new Map([['a', frames]]));
  for (const slot of await openSlots(at(name)))
    await writeSlot(at(name), description, slot, {
      attempt: 1,
      onBadFrame: 'stop',
      decode: async ({ sources: [{ index: frame }] }) => {
        const out = { values: new Float32Array(64), valid: new Uint8Array(64) };
        await store.read([frame], out);
        return { ...out, sources: [frame.toString(16).padStart(64, '0')] };
      },
    });
  await finalise(at(name));
  if (!withLabels) return;
  const opened = await openDataset(at(name));
  await saveLabels(at(name), labels, opened);
  await opened.close();
}
