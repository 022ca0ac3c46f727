import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { command, parseSplit } from '../../cli/train.js';
import { ConfigError } from '../../pipeline/errors.js';
import { saveLabels } from '../../pipeline/labels/index.js';
import { createDataset, finalise, openDataset, openSlots, writeSlot } from '../../pipeline/shards/index.js';
import { dispose } from '../../pipeline/tensor/index.js';
import { loadProvenance, loadSplit, loadTrained } from '../../pipeline/training/index.js';
import type { PlannedFrame } from '../../schemas/records/index.js';
import { small } from './fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'stormreel-train-'));
const dataset = join(folder, 'dataset');
const config = join(folder, 'stormreel.yaml');

beforeAll(async () => {
  const { store, labels } = small();
  const { index, description } = store;
  const frames = new Map<string, PlannedFrame[]>(index.seriesNames.map((name) => [name, []]));
  for (let i = 0; i < index.length; i++)
    frames.get(index.seriesNames[index.series[i]])!.push({
      time: index.time[i],
      sources: [{ path: `frame${i}`, size: 1, mtimeMs: 0, index: i, bands: [{ from: 0, to: 0 }] }],
    });
  await createDataset(dataset, description, frames, { shardFrames: 16 });
  for (const slot of await openSlots(dataset))
    await writeSlot(dataset, description, slot, {
      attempt: 1,
      onBadFrame: 'stop',
      decode: async ({ sources: [{ index: at }] }) => {
        const out = { values: new Float32Array(200), valid: new Uint8Array(100) };
        await store.read([at], out);
        return { ...out, sources: [at.toString(16).padStart(64, '0')] };
      },
    });
  await finalise(dataset);
  const opened = await openDataset(dataset);
  await saveLabels(dataset, labels, opened);
  await opened.close();
  writeFileSync(
    config,
    JSON.stringify({
      dataset: 'dataset',
      run: 'run',
      ingest: { sources: ['maps'] },
      labels: {},
      split: {
        by: 'series',
        train: ['s0', 's1', 's2', 's3'],
        validation: ['s4'],
        test: ['s5'],
        embargo: '1h',
      },
      model: { encoder: { kind: 'evidence', widths: [4] }, head: { kind: 'gru', units: 3 } },
      training: { windowLength: 6, batch: 4, steps: 10, ensemble: 2 },
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** What the command prints on stdout with --json. */
async function train(...flags: string[]): Promise<Record<string, unknown>> {
  const lines: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  await command().parseAsync([dataset, '--json', '--quiet', ...flags], { from: 'user' });
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0]);
}

describe('stormreel train', () => {
  it('writes config, split, log, checkpoints and a model that loads', async () => {
    const run = join(folder, 'run');
    const printed = await train('--out', run, '--config', config);
    expect(printed).toMatchObject({ run, seeds: [0, 1], positives: 28, negatives: 52 });
    const provenance = await loadProvenance(run);
    expect(provenance.dataset).toMatchObject({ path: dataset, frames: 120, bad: 0 });
    expect(provenance.config.training.steps).toBe(10);
    expect(Object.keys(provenance.versions)).toEqual(expect.arrayContaining(['stormreel', 'node', 'tfjs']));
    const split = await loadSplit(run);
    expect(split.hash).toBe(provenance.split.hash);
    expect([...split.part.slice(78, 82), split.part[119]]).toEqual([0, 0, 1, 1, 2]);
    const trained = await loadTrained(run);
    expect(trained.members).toHaveLength(2);
    expect(trained.datasetHash).toBe(provenance.dataset.hash);
    expect(trained.splitHash).toBe(split.hash);
    expect(readFileSync(join(run, 'log.jsonl'), 'utf8').trim().split('\n')).toHaveLength(20);
    for (const member of trained.members) dispose(member);
  });

  it('--resume on a finished run leaves the log as it is and gives the same weights', async () => {
    const run = join(folder, 'run');
    const read = (name: string) => readFileSync(join(run, name));
    const [log, weights] = [read('log.jsonl'), read('model.safetensors')];
    await train('--out', run, '--config', config, '--resume');
    expect(read('log.jsonl').equals(log)).toBe(true);
    expect(read('model.safetensors').equals(weights)).toBe(true);
  });

  it('lets flags override the config', async () => {
    const run = join(folder, 'flags');
    await train('--out', run, '--config', config, '--seed', '5', '--steps', '3');
    const { config: used } = await loadProvenance(run);
    expect(used.training).toMatchObject({ seed: 5, steps: 3 });
    expect(readFileSync(join(run, 'log.jsonl'), 'utf8').trim().split('\n')).toHaveLength(6);
  });

  it('--sanity prints the accuracy and trains nothing', async () => {
    const run = join(folder, 'sanity');
    expect(await train('--out', run, '--config', config, '--sanity')).toMatchObject({ accuracy: 1 });
    expect(existsSync(run)).toBe(false);
  });

  it('says what is missing without a split, exit code 2', async () => {
    const { error } = (await train('--out', join(folder, 'none'))) as {
      error: { tag: string; hint: string };
    };
    expect(error.tag).toBe('ConfigError');
    expect(error.hint).toMatch(/--split train=FROM\/TO/);
    expect(process.exitCode).toBe(2);
  });

  it('reads date ranges from --split and refuses what it cannot read', () => {
    expect(parseSplit('train=2000-01-01/2001-06-01,test=2001-06-01/2002-01-01')).toEqual({
      by: 'dates',
      train: ['2000-01-01', '2001-06-01'],
      test: ['2001-06-01', '2002-01-01'],
      embargo: '0h',
    });
    for (const text of ['train=2000-01-01', 'train=a/b,train=c/d', 'learn=a/b']) {
      try {
        parseSplit(text);
        expect.unreachable(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
      }
    }
  });
});
